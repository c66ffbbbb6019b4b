"""One file a kind of fault; each knows how to do harm and how to end it."""
