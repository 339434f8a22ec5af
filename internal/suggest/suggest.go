package suggest

// most is how many characters may be wrong in a word: two of them exchanged are two.
const most = 2

// Nearest returns the known word that is most like another one, the first of several, and nothing when all are too
// different.
func Nearest(word string, known []string) string {
	nearest, least := "", most+1
	for _, k := range known {
		if d := distance(word, k); d < least && d < len(k) {
			nearest, least = k, d
		}
	}
	return nearest
}

// distance counts the characters to insert, delete or replace to make one word of the other (Levenshtein).
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range to {
			replaced := diagonal
			if r != s {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(to)]
}
