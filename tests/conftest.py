"""Settings of the whole test suite."""

import torch

# Many tiny batches: threads cost more than they give, and pytest runs one worker per core.
torch.set_num_threads(1)
