"""What a run says of each series, and what of it is new: values, levels, silence. Not how they are stored."""
