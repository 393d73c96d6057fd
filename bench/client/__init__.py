"""The client of this service against its peers and against the least that a banner can be, in a real browser."""
