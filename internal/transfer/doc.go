// Package transfer copies what is in a volume, as a stream, and says whether two volumes hold the same. It knows folders
// and streams: who connects them, and which volumes they are of, is its caller's business.
//
// Copied are files, folders, symbolic and hard links, with owner, group, permissions and the time of the last change.
// Extended attributes (and with them ACLs and labels of SELinux) are not, nor are sockets, pipes and devices. Holes of
// sparse files are filled. lost+found at the top of a volume belongs to its file system and is passed over.
//
// krake-volume is the program around it that runs on clusters; Krake itself uses Compare alone.
package transfer
