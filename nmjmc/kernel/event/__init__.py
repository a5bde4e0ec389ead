"""The event kernel: one thread follows one patch, event after event in their exact order (NVIDIA Warp)."""
