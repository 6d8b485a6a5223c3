//go:build race

package transfer_test

// raceBytesPerByte is what the race detector allocates on top for a byte of a
// file: it gives each small allocation room of its own.
const raceBytesPerByte = 9
