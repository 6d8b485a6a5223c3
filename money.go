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
func addValues(sums map[string]Amount, day map[string]int64) map[string]Amount {
	for currency, v := range day {
		if sums == nil {
			sums = make(map[string]Amount)
		}
		value := Amount(v)
		if value < 0 {
			value = maxSum
		}
		sums[currency] = sums[currency].plus(value)
	}
	return sums
}

// currencies are the codes of ISO 4217, list one (published by SIX as the
// maintenance agency), without those for metals, for tests and for "none", and
// with ANG and BGN, which left the list in 2025 and 2026.
const currencies = ` AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP
 BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
 GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
 KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK
 NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
 SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD
 XCG XOF XPF YER ZAR ZMW ZWG
`

// isCurrency reports whether code is one of the currencies, in upper case.
func isCurrency(code string) bool {
	if len(code) != 3 {
		return false
	}
	for _, c := range []byte(code) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return strings.Contains(currencies, " "+code)
}
