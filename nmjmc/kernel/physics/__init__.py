"""Tables and physics of a journey and a site: what both executors compute with (host side)."""
