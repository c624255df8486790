use super::*;

#[test]
fn a_seed_does_the_same_again() {
    for seed in 0..5 {
        let first = Simulation::new(seed).run().expect("valid jobs");
        let again = Simulation::new(seed).run().expect("valid jobs");
        assert_eq!(first.hash, again.hash, "{first}");
    }
}
