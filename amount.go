package linktrack

import (
	"fmt"
	"math"
	"strings"
)

// An Amount is a sum of money, exactly, in ten-thousandths of its currency's
// unit: 12.34 is Amount(123400).
type Amount int64

const (
	amountDigits = 4                     // behind the point
	amountUnit   = 10_000                // ten-thousandths
	amountBound  = 1e12 * amountUnit     // what one conversion is worth is below that
	maxSum       = Amount(math.MaxInt64) // where a sum of amounts stops
)

// ParseAmount reads a decimal number of 0 or more: digits, and behind a point
// one to four more. It has no sign, no exponent, no space and no mark between
// thousands. The error is an [*InvalidError] about "value".
func ParseAmount(s string) (Amount, error) {
	const param = "value"
	whole, part, point := strings.Cut(s, ".")
	if !isDigits(whole) || point && !isDigits(part) {
		return 0, invalid(param, "must be a decimal number such as 12.34")
	}
	if len(part) > amountDigits {
		return 0, invalid(param, "must have at most %d digits after the point", amountDigits)
	}
	var n int64
	for _, c := range []byte(whole + part + "0000"[len(part):]) {
		if n = n*10 + int64(c-'0'); n >= amountBound {
			return 0, invalid(param, "must be below 1000000000000")
		}
	}
	return Amount(n), nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// String returns the amount as [ParseAmount] reads it, without zeros at the end
// of its decimals: 12.34, 12.5, 12.
func (a Amount) String() string {
	sign, n := "", uint64(a)
	if a < 0 {
		sign, n = "-", -n
	}
	s := fmt.Sprintf("%s%d.%04d", sign, n/amountUnit, n%amountUnit)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// plus adds an amount of 0 or more to another, and stops at maxSum.
func (a Amount) plus(b Amount) Amount {
	if a > maxSum-b {
		return maxSum
	}
	return a + b
}

// addValues adds a day's values to those of a report. Where made-up reports took
// a sum of the day beyond what an Amount holds, so that it is below zero, the
// report shows maxSum.
func addValues(sums, day map[string]int64) map[string]int64 {
	for currency, v := range day {
		if sums == nil {
			sums = make(map[string]int64)
		}
		if v < 0 {
			v = int64(maxSum)
		}
		sums[currency] = int64(Amount(sums[currency]).plus(Amount(v)))
	}
	return sums
}
