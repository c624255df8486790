//! Claims of first attempts (R1), and how they are found again (R8).

use std::{collections::HashMap, time::Duration};

use scheduler_core::{
    identity::{ClaimId, ExecutionId, FencingToken},
    job::OverlapPolicy,
    status::{Reason, Status},
    store::{Claim, ClaimOutcome, ClaimPlace, ClaimRecord, EARLY_TOLERANCE, Grant, LostClaim, Refusal},
};
use tokio_postgres::{Row, types::Type};

use crate::{
    dependants::Dependants,
    error::PostgresError,
    pool::{Connection, Connections, Param},
    row::{self, millis},
    sql::Query,
};

/// How often a claim is decided anew because what stood in its way was gone when it was asked for.
const ROUNDS: usize = 4;

/// How often claims whose jobs were locked are asked for again as a batch, before each waits for its lock on its own.
const BATCH_ROUNDS: usize = 3;

pub(crate) async fn claim(connections: &Connections, claims: &[Claim]) -> Result<Vec<ClaimOutcome>, PostgresError> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let connection = connections.get().await?;
    let outcomes = decide_claims(&connection, claims, claims.len() > 1).await;
    outcomes.map_err(|error| connection.after_writes(error))
}

/// Decides these claims on this connection, in its transaction if one is open. A batch may pass over jobs whose state is
/// locked, and come back to them.
pub(crate) async fn decide_claims(
    connection: &Connection,
    claims: &[Claim],
    skips_locked: bool,
) -> Result<Vec<ClaimOutcome>, PostgresError> {
    let mut outcomes: Vec<Option<ClaimOutcome>> = vec![None; claims.len()];
    let mut batch: Vec<usize> = (0..claims.len()).collect();
    let query = if skips_locked { Query::Claim } else { Query::ClaimWaiting };
    for _ in 0..BATCH_ROUNDS {
        if batch.is_empty() {
            break;
        }
        let mut skipped = Vec::new();
        let open = insert(connection, query, claims, &batch, &mut outcomes, Some(&mut skipped)).await?;
        settle(connection, claims, open, &mut outcomes).await?;
        batch = skipped;
    }
    // Each on its own: one that waits for its job's lock holds up none of the others' commits.
    for nth in batch {
        let open = insert(connection, Query::ClaimWaiting, claims, &[nth], &mut outcomes, None).await?;
        settle(connection, claims, open, &mut outcomes).await?;
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(ClaimOutcome::Refused(Refusal::Held))).collect())
}

/// The claims' columns, as the statements take them.
struct Columns<'a> {
    claim_ids: Vec<uuid::Uuid>,
    jobs: Vec<&'a str>,
    revisions: Vec<i64>,
    occurrences: Vec<&'a str>,
    scheduled_at: Vec<chrono::DateTime<chrono::Utc>>,
    not_before: Vec<chrono::DateTime<chrono::Utc>>,
    deadlines: Vec<chrono::DateTime<chrono::Utc>>,
    max_attempts: Vec<i32>,
    overlaps: Vec<&'a str>,
    reruns: Vec<bool>,
    leases: Vec<i64>,
    instances: Vec<uuid::Uuid>,
    for_instances: Vec<Option<uuid::Uuid>>,
}

impl<'a> Columns<'a> {
    fn of(claims: &'a [Claim], which: &[usize]) -> Self {
        fn column<'a, T>(claims: &'a [Claim], which: &[usize], value: impl Fn(&'a Claim) -> T) -> Vec<T> {
            which.iter().map(|nth| value(&claims[*nth])).collect()
        }
        Self {
            claim_ids: column(claims, which, |claim| claim.claim_id.0),
            jobs: column(claims, which, |claim| claim.job_id.as_str()),
            revisions: column(claims, which, |claim| claim.revision.0),
            occurrences: column(claims, which, |claim| claim.occurrence.as_str()),
            scheduled_at: column(claims, which, |claim| claim.scheduled_at),
            not_before: column(claims, which, |claim| claim.not_before),
            deadlines: column(claims, which, |claim| claim.deadline),
            max_attempts: column(claims, which, |claim| claim.max_attempts.try_into().unwrap_or(i32::MAX)),
            overlaps: column(claims, which, |claim| claim.overlap.as_str()),
            reruns: column(claims, which, |claim| claim.rerun_on_crash),
            leases: column(claims, which, |claim| millis(claim.lease)),
            instances: column(claims, which, |claim| claim.instance.0),
            for_instances: column(claims, which, |claim| claim.for_instance().map(|instance| instance.0)),
        }
    }

    /// What every statement on claims takes first.
    fn conditions(&self) -> [Param<'_>; 7] {
        [
            (&self.claim_ids, Type::UUID_ARRAY),
            (&self.jobs, Type::TEXT_ARRAY),
            (&self.revisions, Type::INT8_ARRAY),
            (&self.occurrences, Type::TEXT_ARRAY),
            (&self.scheduled_at, Type::TIMESTAMPTZ_ARRAY),
            (&self.not_before, Type::TIMESTAMPTZ_ARRAY),
            (&self.deadlines, Type::TIMESTAMPTZ_ARRAY),
        ]
    }
}

/// The one statement. Answers which claims inserted nothing; those whose job was locked go to `skipped` instead.
async fn insert(
    connection: &Connection,
    query: Query,
    claims: &[Claim],
    which: &[usize],
    outcomes: &mut [Option<ClaimOutcome>],
    mut skipped: Option<&mut Vec<usize>>,
) -> Result<Vec<usize>, PostgresError> {
    let columns = Columns::of(claims, which);
    let mut params = columns.conditions().to_vec();
    params.extend([
        (&columns.max_attempts as _, Type::INT4_ARRAY),
        (&columns.overlaps as _, Type::TEXT_ARRAY),
        (&columns.reruns as _, Type::BOOL_ARRAY),
        (&columns.leases as _, Type::INT8_ARRAY),
        (&columns.instances as _, Type::UUID_ARRAY),
        (&columns.for_instances as _, Type::UUID_ARRAY),
    ]);
    let rows = connection.query(query, &params).await?;
    let fences = Fences::settle(connection, &rows).await?;
    let mut open = Vec::new();
    for row in &rows {
        let nth = which[index(row)?];
        if row.try_get::<_, Option<i64>>("id")?.is_some() {
            outcomes[nth] = Some(ClaimOutcome::Granted(fences.grant(row)?));
        } else if let Some(id) = row.try_get::<_, Option<i64>>("skipped_id")? {
            let execution_id = ExecutionId(id);
            outcomes[nth] = Some(ClaimOutcome::Skipped { execution_id, reason: Reason::Overlap });
        } else if let Some(skipped) = skipped.as_deref_mut().filter(|_| !row.try_get("seen").unwrap_or(true)) {
            skipped.push(nth);
        } else {
            open.push(nth);
        }
    }
    Ok(open)
}

/// Finds out why claims inserted nothing, and applies the overlap policy where a holder was in the way (R17).
async fn settle(
    connection: &Connection,
    claims: &[Claim],
    mut open: Vec<usize>,
    outcomes: &mut [Option<ClaimOutcome>],
) -> Result<(), PostgresError> {
    for round in 0..ROUNDS {
        if open.is_empty() {
            return Ok(());
        }
        let mut held = fates(connection, claims, &open, outcomes).await?;
        if held.is_empty() {
            return Ok(());
        }
        meet_holder(connection, claims, &mut held, round, outcomes).await?;
        // The holder may have gone meanwhile: then the claim itself does it.
        open = if held.is_empty() {
            held
        } else {
            insert(connection, Query::ClaimWaiting, claims, &held, outcomes, None).await?
        };
    }
    Ok(())
}

/// Asks why, and answers which claims only a holder is in the way of.
async fn fates(
    connection: &Connection,
    claims: &[Claim],
    open: &[usize],
    outcomes: &mut [Option<ClaimOutcome>],
) -> Result<Vec<usize>, PostgresError> {
    let columns = Columns::of(claims, open);
    let rows = connection.query(Query::ClaimFate, &columns.conditions()).await?;
    let fences = Fences::settle(connection, &rows).await?;
    let mut held = Vec::new();
    for row in &rows {
        let nth = open[index(row)?];
        match fate(row, &fences)? {
            Some(outcome) => outcomes[nth] = Some(outcome),
            None => held.push(nth),
        }
    }
    Ok(held)
}

/// One claim's fate; `None` when nothing but a holder can have been in its way.
fn fate(row: &Row, fences: &Fences) -> Result<Option<ClaimOutcome>, PostgresError> {
    let refused = |refusal| Ok(Some(ClaimOutcome::Refused(refusal)));
    if !row.try_get::<_, bool>("known")? {
        return refused(Refusal::Superseded);
    }
    if let Some(id) = row.try_get::<_, Option<i64>>("id")? {
        if row.try_get::<_, Option<bool>>("mine")? == Some(true) {
            let execution_id = ExecutionId(id);
            match (Status::from_stored(row.try_get("status")?), row::reason(row, "reason")?) {
                (Status::Running, _) => return Ok(Some(ClaimOutcome::Granted(fences.grant(row)?))),
                (Status::Pending, _) => return Ok(Some(ClaimOutcome::Queued { execution_id })),
                (Status::Skipped, Some(reason)) => return Ok(Some(ClaimOutcome::Skipped { execution_id, reason })),
                _ => {}
            }
        }
        return refused(Refusal::AlreadyDecided);
    }
    let remaining_ms: i64 = row.try_get("remaining_ms")?;
    let remaining = Duration::from_millis(remaining_ms.try_into().unwrap_or(0));
    if row.try_get("passed")? {
        refused(Refusal::Passed)
    } else if !row.try_get::<_, bool>("current")? {
        refused(Refusal::Superseded)
    } else if row.try_get("paused")? {
        refused(Refusal::Paused)
    } else if remaining > EARLY_TOLERANCE {
        refused(Refusal::NotDue { remaining })
    } else if row.try_get("late")? {
        refused(Refusal::DeadlinePassed)
    } else if !remaining.is_zero() {
        // Whoever holds the key now may be gone at the instant.
        refused(Refusal::NotDue { remaining })
    } else {
        Ok(None)
    }
}

/// Writes what the overlap policies say; `held` keeps the claims for which nothing was written.
async fn meet_holder(
    connection: &Connection,
    claims: &[Claim],
    held: &mut Vec<usize>,
    round: usize,
    outcomes: &mut [Option<ClaimOutcome>],
) -> Result<(), PostgresError> {
    for nth in held.clone() {
        if claims[nth].overlap == OverlapPolicy::CancelRunning {
            let mut one = vec![nth];
            cancel_running(connection, claims, &mut one, outcomes).await?;
            held.retain(|other| *other != nth || one.contains(other));
        }
    }
    let way = |claim: &Claim| match claim.overlap {
        // What finds the queue full is skipped at the second look.
        OverlapPolicy::QueueOne if round.is_multiple_of(2) => Way::Waits,
        OverlapPolicy::QueueOne => Way::Skipped(Reason::QueueFull),
        OverlapPolicy::CancelRunning => Way::Skipped(Reason::Superseded),
        _ => Way::Skipped(Reason::Overlap),
    };
    write(connection, claims, held, way, outcomes).await
}

/// Asks the holder to stop, and sees that of those that wait the latest is left, the job's state locked (R17).
async fn cancel_running(
    connection: &Connection,
    claims: &[Claim],
    held: &mut Vec<usize>,
    outcomes: &mut [Option<ClaimOutcome>],
) -> Result<(), PostgresError> {
    let claim = &claims[held[0]];
    let job_id = claim.job_id.as_str();
    let job: Param<'_> = (&job_id, Type::TEXT);
    let is_own = !connection.is_in_transaction();
    if is_own {
        connection.begin().await?;
    }
    connection.query(Query::JobLock, std::slice::from_ref(&job)).await?;
    let key = claim.for_instance().map(|instance| instance.0);
    let key: Param<'_> = (&key, Type::UUID);
    stop_holder(connection, &job, &key).await?;
    connection.query(Query::SupersedeQueued, &[job, (&Some(claim.scheduled_at), Type::TIMESTAMPTZ), key]).await?;
    for way in [Way::Waits, Way::Skipped(Reason::Superseded)] {
        if !held.is_empty() {
            write(connection, claims, held, |_| way, outcomes).await?;
        }
    }
    if is_own {
        connection.commit().await?;
    }
    Ok(())
}

/// Asks the holder of a key to stop; what ran after one that only waited follows on its end (R24).
pub(crate) async fn stop_holder(
    connection: &Connection,
    job: &Param<'_>,
    key: &Param<'_>,
) -> Result<(), PostgresError> {
    for row in &connection.query(Query::StopHolder, &[job.clone(), key.clone()]).await? {
        let cancelled: i64 = row.try_get("id")?;
        let dependants = Dependants::lock(connection, &[cancelled]).await?;
        dependants.follow_up(connection, [ExecutionId(cancelled)]).await?;
    }
    Ok(())
}

/// What becomes of an occurrence that may not run now.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// It is the queued row.
    Waits,
    /// It never runs.
    Skipped(Reason),
}

/// Writes rows for the claims of `held`, which keeps those for which nothing was written.
async fn write(
    connection: &Connection,
    claims: &[Claim],
    held: &mut Vec<usize>,
    way: impl Fn(&Claim) -> Way,
    outcomes: &mut [Option<ClaimOutcome>],
) -> Result<(), PostgresError> {
    if held.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(claims, held);
    let (statuses, reasons): (Vec<&str>, Vec<Option<&str>>) = held
        .iter()
        .map(|nth| match way(&claims[*nth]) {
            Way::Waits => (Status::Pending.as_str(), None),
            Way::Skipped(reason) => (Status::Skipped.as_str(), Some(reason.as_str())),
        })
        .unzip();
    let mut params = columns.conditions().to_vec();
    params.extend([
        (&columns.max_attempts as _, Type::INT4_ARRAY),
        (&columns.for_instances as _, Type::UUID_ARRAY),
        (&statuses as _, Type::TEXT_ARRAY),
        (&reasons as _, Type::TEXT_ARRAY),
    ]);
    for row in &connection.query(Query::Overlap, &params).await? {
        let claim_id = ClaimId(row.try_get("claim_id")?);
        let execution_id = ExecutionId(row.try_get("id")?);
        let outcome = match row::reason(row, "reason")? {
            Some(reason) => ClaimOutcome::Skipped { execution_id, reason },
            None => ClaimOutcome::Queued { execution_id },
        };
        for nth in held.extract_if(.., |nth| claims[*nth].claim_id == claim_id) {
            outcomes[nth] = Some(outcome.clone());
        }
    }
    Ok(())
}

pub(crate) async fn find(connections: &Connections, lost: &LostClaim) -> Result<Option<ClaimRecord>, PostgresError> {
    let connection = connections.get().await?;
    let (occurrence, row) = match &lost.place {
        ClaimPlace::Occurrence(job_id, occurrence) => (Some((job_id.as_str(), occurrence.as_str())), None),
        ClaimPlace::Row(row) => (None, Some(row.0)),
    };
    let (job_id, occurrence) = occurrence.unzip();
    let params: [Param<'_>; 4] =
        [(&lost.claim_id.0, Type::UUID), (&job_id, Type::TEXT), (&occurrence, Type::TEXT), (&row, Type::INT8)];
    let rows = connection.query(Query::FindClaim, &params).await?;
    let fences = Fences::settle(&connection, &rows).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let left: Option<i64> = row.try_get("left_ms")?;
    Ok(Some(ClaimRecord {
        grant: fences.grant(row)?,
        status: row::word(row, "status", "status")?,
        lease_left: Duration::from_millis(left.and_then(|left| left.try_into().ok()).unwrap_or(0)),
    }))
}

fn index(row: &Row) -> Result<usize, PostgresError> {
    let nth: i64 = row.try_get("nth")?;
    usize::try_from(nth - 1).map_err(|_| PostgresError::Row { what: "place in the batch", value: nth.to_string() })
}

/// The numbers drawn anew for runs whose first was below one given before (R1). Rarely any.
pub(crate) struct Fences(HashMap<i64, i64>);

impl Fences {
    /// Draws anew for the rows that say `overtaken`.
    pub(crate) async fn settle(connection: &Connection, rows: &[Row]) -> Result<Self, PostgresError> {
        let mut overtaken = Vec::new();
        for row in rows {
            if row.try_get::<_, Option<bool>>("overtaken")? == Some(true) {
                overtaken.push(row.try_get::<_, i64>("id")?);
            }
        }
        if overtaken.is_empty() {
            return Ok(Self(HashMap::new()));
        }
        let rows = connection.query(Query::Refence, &[(&overtaken, Type::INT8_ARRAY)]).await?;
        let drawn = rows.iter().map(|row| Ok((row.try_get("id")?, row.try_get("fence")?)));
        Ok(Self(drawn.collect::<Result<_, PostgresError>>()?))
    }

    /// A row's grant with the number that counts.
    pub(crate) fn grant(&self, row: &Row) -> Result<Grant, PostgresError> {
        let mut grant = row::grant(row)?;
        if let Some(fence) = self.0.get(&grant.execution_id.0) {
            grant.fence = FencingToken(*fence);
        }
        Ok(grant)
    }
}
