"""Other processes: how they are started, watched, ended, and kept from measuring each other."""
