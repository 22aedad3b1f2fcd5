"""From the frames of a stack to whose code it is: call sites, modules, packages, owners."""
