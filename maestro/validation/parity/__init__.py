"""Parity: do the engines agree?"""
