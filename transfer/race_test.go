//go:build race

package transfer_test

// The race detector gives each small allocation room of its own.
const perAllocation = 4
