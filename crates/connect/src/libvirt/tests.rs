//! What libvirt gave → collections.
