"""The door for applications: JSON-RPC over HTTP and WebSocket, health and metrics."""
