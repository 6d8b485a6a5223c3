//go:build !race

package transfer_test

const raceBytesPerByte = 0
