//go:build race

package transfer_test

// raceBytesPerByte is the memory that the race detector allocates in addition,
// for each byte of a file: it rounds up each small allocation.
const raceBytesPerByte = 9
