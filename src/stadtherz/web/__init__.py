"""The shell: layout, navigation, charts, map, errors, the live stream, and the back office's frame."""
