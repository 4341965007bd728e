from gate.gated import alone as alone
from gate.gated import here as here
