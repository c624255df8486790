//! Looks at many jobs, and the watermarks that follow (R12).

use chrono::{DateTime, Utc};

use super::state::State;
use crate::{
    identity::JobId,
    store::{Survey, SurveyRequest, Surveyed, WatermarkMove},
};

impl State {
    pub(super) fn survey(&self, request: &SurveyRequest, now: DateTime<Utc>) -> Survey {
        let jobs = request.jobs.iter().filter(|asked| self.jobs.contains_key(&asked.job_id)).map(|asked| {
            let limit = if asked.with_rows { request.limit } else { 0 };
            let view = self.view(&asked.job_id, now - request.lag, limit, now);
            Surveyed { state: view.state, rows: view.rows, is_cut: asked.with_rows && view.is_cut }
        });
        Survey { now, jobs: jobs.collect() }
    }

    pub(super) fn advance(&mut self, moves: &[WatermarkMove]) -> Vec<JobId> {
        let mut moved = Vec::new();
        for one in moves {
            let job = self.jobs.get_mut(&one.job_id).filter(|job| {
                job.is_scheduled() && job.state.revision == one.revision && job.state.watermark == one.from
            });
            if let Some(job) = job {
                job.move_watermark(one.to);
                moved.push(one.job_id.clone());
            }
        }
        moved
    }
}
