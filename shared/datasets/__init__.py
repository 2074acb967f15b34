"""What is trained on: examples, compacted, frozen into datasets that can be built again."""
