//! Help for whole-server tests.
