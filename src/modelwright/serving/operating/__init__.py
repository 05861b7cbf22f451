"""What acts: prepare versions, swap pointers, follow a stage, conduct rollouts, drain, stop."""
