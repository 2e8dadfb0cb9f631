"""Measurements of zarrfs against other readers of the same arrays, made to be believed."""
