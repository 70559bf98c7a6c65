"""Test clocks: times that stand still until somebody turns them on."""
