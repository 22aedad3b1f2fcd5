"""Commands that prove the gate on a project: selftest, calibrate, doctor; they start pytest in processes of its own."""
