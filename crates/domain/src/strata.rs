//! Success rates before and after a moment, compared task by task. If the mix of tasks changes, the
//! overall rate changes although no task is done better or worse; the standardised rates leave that
//! out.

/// Sessions with a known outcome that are needed on each side before rates are compared.
pub const ENOUGH: i64 = 100;

/// Sessions with a known outcome, and how many of them succeeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    pub succeeded: i64,
    pub known: i64,
}

/// One task on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stratum {
    pub task: String,
    pub before: Outcomes,
    pub after: Outcomes,
}

/// The success rates of both sides over the same mix of tasks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standardised {
    /// Between 0 and 1.
    pub before: f64,
    /// Between 0 and 1.
    pub after: f64,
    /// Sessions on each side whose task has sessions on both sides.
    pub compared: (i64, i64),
}

/// The rates of both sides, each task weighted as Mantel and Haenszel (1959) do: n₀n₁/(n₀+n₁).
/// Tasks that have sessions on one side only are left out. `None` if fewer than [`ENOUGH`] sessions
/// of a side are left.
#[must_use]
pub fn standardised(strata: &[Stratum]) -> Option<Standardised> {
    let shared = strata
        .iter()
        .filter(|s| s.before.known > 0 && s.after.known > 0);
    let (mut before, mut after, mut weights, mut compared) = (0.0, 0.0, 0.0, (0, 0));
    for stratum in shared {
        let (n0, n1) = (number(stratum.before.known), number(stratum.after.known));
        let weight = n0 * n1 / (n0 + n1);
        before += weight * number(stratum.before.succeeded) / n0;
        after += weight * number(stratum.after.succeeded) / n1;
        weights += weight;
        compared.0 += stratum.before.known;
        compared.1 += stratum.after.known;
    }
    let is_enough = compared.0 >= ENOUGH && compared.1 >= ENOUGH;
    is_enough.then(|| Standardised {
        before: before / weights,
        after: after / weights,
        compared,
    })
}

fn number(count: i64) -> f64 {
    f64::from(i32::try_from(count).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum(task: &str, before: (i64, i64), after: (i64, i64)) -> Stratum {
        let outcomes = |(succeeded, known)| Outcomes { succeeded, known };
        Stratum {
            task: task.to_owned(),
            before: outcomes(before),
            after: outcomes(after),
        }
    }

    #[test]
    fn a_change_of_the_mix_alone_changes_no_rate() {
        // Easy tasks succeed at 90 %, hard ones at 10 %, on both sides; only their numbers are
        // swapped.
        let strata = [
            stratum("easy", (90, 100), (45, 50)),
            stratum("hard", (5, 50), (10, 100)),
        ];
        let rates = standardised(&strata).unwrap();
        assert!((rates.before - rates.after).abs() < 1e-9, "{rates:?}");
        assert_eq!(rates.compared, (150, 150));
    }

    #[test]
    fn an_improvement_shows_although_the_mix_hides_it() {
        let strata = [
            stratum("easy", (90, 100), (19, 20)),
            stratum("hard", (2, 20), (30, 100)),
        ];
        let rates = standardised(&strata).unwrap();
        assert!((rates.before - 0.5).abs() < 1e-9, "{rates:?}");
        assert!((rates.after - 0.625).abs() < 1e-9, "{rates:?}");
    }

    #[test]
    fn too_few_sessions_and_tasks_of_one_side_say_nothing() {
        assert_eq!(standardised(&[]), None);
        assert_eq!(standardised(&[stratum("a", (50, 99), (50, 500))]), None);
        assert_eq!(
            standardised(&[
                stratum("a", (50, 99), (50, 500)),
                stratum("b", (9, 900), (0, 0))
            ]),
            None
        );
        assert!(standardised(&[stratum("a", (50, 100), (50, 100))]).is_some());
    }
}
