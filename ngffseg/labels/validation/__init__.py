"""Facts of a store are collected, rules are applied to them, faults are fixed."""
