// Package image makes container images out of static programs, and loads them
// into real nodes, without a registry: an image has one layer, and in it one
// file. It also has the images that every real node is given; the programs in
// them are built from the folder images of this module.
package image
