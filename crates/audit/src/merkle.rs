//! A Merkle tree over the entries of a trail (RFC 6962, as in certificate transparency): with a few
//! hashes it shows that one entry is in the tree of a signed size, or that a tree is the beginning
//! of a later one. A leaf is the hash of an entry.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The hash of a leaf.
#[must_use]
pub fn leaf(data: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(data)
        .finalize()
        .into()
}

/// The hash of a node above two others.
fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// How many of more than one leaf are in the left part of the tree: the largest power of two below
/// their number.
const fn left_of(leaves: usize) -> usize {
    1 << (usize::BITS - 1 - (leaves - 1).leading_zeros())
}

/// The root of the tree over some leaves, which are hashes already ([`leaf`]).
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        more => {
            let (left, right) = more.split_at(left_of(more.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The hashes that lead from a leaf to the root; nothing if there is no such leaf.
#[must_use]
pub fn inclusion(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut rest, mut index) = (leaves, index);
    while rest.len() > 1 {
        let (left, right) = rest.split_at(left_of(rest.len()));
        if index < left.len() {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            index -= left.len();
            rest = right;
        }
    }
    path.reverse();
    Some(path)
}

/// The consistency proof from the tree over the first `size` leaves to the tree over all; `None` if
/// there are fewer leaves.
#[must_use]
pub fn consistency(leaves: &[Hash], size: usize) -> Option<Vec<Hash>> {
    if size > leaves.len() {
        return None;
    }
    // Of an empty tree every tree is the continuation, and of itself, too.
    if size == 0 || size == leaves.len() {
        return Some(Vec::new());
    }
    let mut path = Vec::new();
    let (mut rest, mut size, mut whole) = (leaves, size, true);
    while size < rest.len() {
        let (left, right) = rest.split_at(left_of(rest.len()));
        if size <= left.len() {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            size -= left.len();
            rest = right;
            whole = false;
        }
    }
    if !whole {
        path.push(root(rest));
    }
    path.reverse();
    Some(path)
}

/// True if a leaf is in the tree of a size and root, at an index from 0 (RFC 9162, 2.1.3.2).
#[must_use]
pub fn includes(size: u64, expected: &Hash, index: u64, leaf: &Hash, path: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *expected
}

/// True if the tree of one size and root is the beginning of that of another (RFC 9162, 2.1.4.2).
#[must_use]
pub fn continues(
    (first, first_root): (u64, &Hash),
    (second, second_root): (u64, &Hash),
    path: &[Hash],
) -> bool {
    if first > second {
        return false;
    }
    if first == second {
        return path.is_empty() && first_root == second_root;
    }
    if first == 0 {
        return path.is_empty() && *first_root == root(&[]);
    }
    let mut path = path.iter();
    // A tree whose size is a power of two is a node of the later one itself.
    let seed = if first.is_power_of_two() {
        Some(first_root)
    } else {
        path.next()
    };
    let Some(seed) = seed else { return false };
    let (mut at, mut last) = (first - 1, second - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut older, mut newer) = (*seed, *seed);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            older = node(sibling, &older);
            newer = node(sibling, &newer);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            newer = node(&newer, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && older == *first_root && newer == *second_root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(n: usize) -> Vec<Hash> {
        (0..n).map(|i| leaf(&i.to_be_bytes())).collect()
    }

    /// The leaves and roots that the tests of certificate transparency use.
    #[test]
    fn the_tree_is_that_of_certificate_transparency() {
        let data = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let all: Vec<Hash> = data
            .iter()
            .map(|text| leaf(&hex::decode(text).unwrap()))
            .collect();
        assert_eq!(
            hex::encode(root(&[])),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex::encode(root(&all[..1])),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            hex::encode(root(&all)),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    #[test]
    fn each_leaf_is_shown_to_be_in_each_tree_and_nowhere_else() {
        for size in 1..40 {
            let all = leaves(size);
            let top = root(&all);
            for index in 0..size {
                let path = inclusion(&all, index).unwrap();
                let at = |i: usize, path: &[Hash]| {
                    includes(size as u64, &top, index as u64, &all[i], path)
                };
                assert!(at(index, &path), "{index} of {size}");
                assert!(
                    (0..size)
                        .filter(|&other| other != index)
                        .all(|other| !at(other, &path)),
                    "{index} of {size}"
                );
                let mut longer = path.clone();
                longer.push(top);
                assert!(!at(index, &longer), "a path that is too long");
                assert!(
                    path.is_empty() || !at(index, &path[1..]),
                    "a path that is too short"
                );
            }
            assert_eq!(inclusion(&all, size), None);
            assert!(!includes(size as u64, &top, size as u64, &all[0], &[]));
        }
    }

    #[test]
    fn each_tree_is_shown_to_be_the_beginning_of_a_later_one() {
        let all = leaves(40);
        for second in 0..40 {
            for first in 0..=second {
                let path = consistency(&all[..second], first).unwrap();
                let (before, after) = (root(&all[..first]), root(&all[..second]));
                assert!(
                    continues((first as u64, &before), (second as u64, &after), &path),
                    "{first} of {second}"
                );
                if first > 0 && first < second {
                    let other = leaf(b"another");
                    assert!(
                        !continues((first as u64, &other), (second as u64, &after), &path),
                        "{first} of {second}"
                    );
                    assert!(
                        !continues((first as u64, &before), (second as u64, &other), &path),
                        "{first} of {second}"
                    );
                    let longer = [path.as_slice(), &[other]].concat();
                    assert!(
                        !continues((first as u64, &before), (second as u64, &after), &longer),
                        "{first} of {second}"
                    );
                }
            }
            assert_eq!(consistency(&all[..second], second + 1), None);
        }
    }
}
