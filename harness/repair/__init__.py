"""What tuning changed is made smaller, without training, until the gate passes: the command `repair`."""
