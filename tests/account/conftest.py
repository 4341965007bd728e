from gate.gated import here as here
