"""What a mount shows. Knows no kernel; usable and tested in plain Python."""
