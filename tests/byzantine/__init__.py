"""Traitors, one file each: its first line names the sin."""
