//go:build !race

package transfer_test

const perAllocation = 1
