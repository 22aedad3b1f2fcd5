"""From the routes of a framework to the files of their first screens. What bundlers write is read in `stats`."""
