//! Subtrees, against the definition of their proofs.

use std::ops::Range;

use super::super::*;
use super::entry;

const SIZE: u64 = 40;

/// MTH of RFC 6962, as it is written there.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&mth(left), &mth(right))
        }
    }
}

/// SUBTREE_SUBPROOF of draft-ietf-plants-merkle-tree-certs, as it is written there.
fn proof(part: Range<usize>, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if part == (0..leaves.len()) {
        return if known { Vec::new() } else { vec![mth(leaves)] };
    }
    let middle = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(middle);
    let (mut hashes, sibling) = if part.end <= middle {
        (proof(part, left, known), right)
    } else if part.start >= middle {
        (proof(part.start - middle..part.end - middle, right, known), left)
    } else {
        (proof(0..part.end - middle, right, false), left)
    };
    hashes.push(mth(sibling));
    hashes
}

#[test]
fn every_subtree_of_every_small_log_is_proved_and_no_other_range_is() {
    let leaves: Vec<Hash> = (0..SIZE).map(|number| leaf_hash(&entry(number))).collect();
    for size in 1..=SIZE {
        let tree = &leaves[..size as usize];
        let root = mth(tree);
        for (start, end) in (0..size).flat_map(|start| (start + 1..=size).map(move |end| (start, end))) {
            let part = start as usize..end as usize;
            let own = mth(&tree[part.clone()]);
            if start % (end - start).next_power_of_two() != 0 {
                assert!(verify_subtree(start..end, &own, size, &root, &[]).is_err());
                continue;
            }
            let good = proof(part, tree, true);
            let holds =
                |own: &Hash, root: &Hash, proof: &[Hash]| verify_subtree(start..end, own, size, root, proof).is_ok();
            assert!(holds(&own, &root, &good), "{start}..{end} of {size}");
            assert!(!holds(&[0; 32], &root, &good) && !holds(&own, &[0; 32], &good));
            for other in super::faulty(&good) {
                assert!(!holds(&own, &root, &other), "{start}..{end} of {size}");
            }
        }
    }
}
