"""Relabelling: the labels of the past, told anew under the rules of today."""
