//! What the pages say, in English and Indonesian.

use scheduler_core::{status::Status, store::Action};
use scheduler_cron::Language;

/// Defines the texts of both languages, each beside the other.
macro_rules! words {
    ($($name:ident: $english:literal, $indonesian:literal;)*) => {
        /// The texts of one language.
        #[derive(Debug)]
        pub(super) struct Words { $(pub(super) $name: &'static str,)* }

        static ENGLISH: Words = Words { $($name: $english,)* };
        static INDONESIAN: Words = Words { $($name: $indonesian,)* };
    };
}

words! {
    jobs: "Jobs", "Pekerjaan";
    timeline: "Timeline", "Garis waktu";
    executions: "Executions", "Eksekusi";
    instances: "Instances", "Instans";
    audit: "Audit", "Audit";
    sign_in: "Sign in", "Masuk";
    sign_out: "Sign out", "Keluar";
    token: "Token", "Token";
    token_help: "A bearer token of the admin API.", "Token bearer dari API admin.";
    token_wrong: "This token is wrong or has expired.", "Token ini salah atau sudah kedaluwarsa.";
    live: "live", "langsung";
    reconnecting: "reconnecting", "menyambung kembali";
    other_language: "Bahasa Indonesia", "English";
    skip_to_content: "Skip to the content", "Langsung ke isi";
    waiting: "waiting", "menunggu";
    running: "running", "berjalan";
    succeeded: "succeeded", "berhasil";
    failed: "failed", "gagal";
    timed_out: "timed out", "kehabisan waktu";
    cancelled: "cancelled", "dibatalkan";
    abandoned: "abandoned", "ditinggalkan";
    skipped: "skipped", "dilewati";
    missed: "missed", "terlewat";
    failing: "failing", "gagal";
    paused: "paused", "dijeda";
    disabled: "disabled", "nonaktif";
    overdue: "overdue", "terlambat";
    success: "success, last 20 of each", "berhasil, 20 terakhir tiap pekerjaan";
    lag: "start lag p95", "keterlambatan mulai p95";
    all: "All", "Semua";
    filter: "Filter", "Saring";
    search: "Name or id", "Nama atau id";
    job: "Job", "Pekerjaan";
    schedule: "Schedule", "Jadwal";
    next_run: "Next run", "Jadwal berikutnya";
    last_run: "Last run", "Terakhir berjalan";
    last_runs: "Last 20", "20 terakhir";
    actions: "Actions", "Tindakan";
    never: "never", "belum pernah";
    none: "none", "tidak ada";
    run_now: "Run now", "Jalankan";
    pause: "Pause", "Jeda";
    resume: "Resume", "Lanjutkan";
    skip: "Skip", "Lewati";
    cancel: "Cancel", "Batalkan";
    retry: "Retry", "Coba lagi";
    backfill: "Backfill", "Isi ulang";
    from: "From", "Dari";
    to: "To", "Sampai";
    would_run: "would run", "akan dijalankan";
    would_not: "would not", "tidak akan";
    no_jobs: "No job is linked into this service.", "Tidak ada pekerjaan dalam layanan ini.";
    no_jobs_help: "A crate whose jobs are never named links none of them: give them to the scheduler's builder by `jobs![…]`, or name the crate with `use my_jobs as _;`.", "Crate yang pekerjaannya tidak pernah disebut tidak ikut ditautkan: berikan kepada builder dengan `jobs![…]`, atau sebut crate itu dengan `use my_jobs as _;`.";
    nothing_found: "Nothing is found.", "Tidak ada yang ditemukan.";
    settings: "Settings", "Pengaturan";
    history: "History", "Riwayat";
    durations: "Durations", "Durasi";
    upcoming: "Next occurrences", "Jadwal mendatang";
    next_24h: "Next 24 h", "24 jam ke depan";
    status: "Status", "Status";
    origin: "Origin", "Asal";
    instance: "Instance", "Instans";
    actor: "Actor", "Pelaku";
    reason: "Reason", "Alasan";
    until: "Until", "Sampai";
    until_resumed: "until it is resumed", "sampai dilanjutkan";
    hours: "hours", "jam";
    due: "Due", "Dijadwalkan";
    started: "Started", "Mulai";
    finished: "Finished", "Selesai";
    duration: "Duration", "Durasi";
    attempt: "Attempt", "Percobaan";
    fence: "Fencing token", "Token pagar";
    triggered_by: "Asked for by", "Diminta oleh";
    occurrence: "Occurrence", "Kejadian";
    message: "Message", "Pesan";
    error: "Error", "Galat";
    result: "Result", "Hasil";
    params: "Parameters", "Parameter";
    late_by: "late by", "terlambat";
    progress: "Progress", "Kemajuan";
    log: "Log", "Log";
    level: "Level", "Tingkat";
    source: "Source", "Sumber";
    lines_dropped: "lines are not kept: there is room for the first 900 and the last 100.", "baris tidak disimpan: ada tempat untuk 900 baris pertama dan 100 baris terakhir.";
    lines_earlier: "lines came earlier.", "baris sebelumnya.";
    lines_all: "All lines", "Semua baris";
    no_lines: "No log line is kept.", "Tidak ada baris log yang disimpan.";
    no_lines_help: "Lines are kept where the service's subscriber has logs::layer(), up to the level that its scheduler asks for.", "Baris log disimpan bila subscriber layanan memakai logs::layer(), sampai tingkat yang diminta scheduler.";
    newer: "Newest", "Terbaru";
    older: "Older", "Lebih lama";
    csv: "CSV", "CSV";
    host: "Host", "Host";
    version: "Version", "Versi";
    heartbeat: "Heartbeat", "Detak";
    clock_offset: "Clock offset", "Selisih jam";
    runs_here: "Runs there", "Berjalan di sana";
    alive: "alive", "hidup";
    gone: "gone", "hilang";
    at: "At", "Pada";
    what: "What", "Apa";
    refused: "refused", "ditolak";
    done: "done", "dilakukan";
    from_address: "From", "Dari";
    before_after: "Before → after", "Sebelum → sesudah";
    confirm: "Confirm", "Konfirmasi";
    back: "Back", "Kembali";
    environment: "Environment", "Lingkungan";
    cut: "cut, so many characters more:", "dipotong, sisa karakter:";
    trouble: "This did not work", "Ini tidak berhasil";
    away: "The store does not answer. This page is read again by itself.", "Penyimpanan tidak menjawab. Halaman ini dibaca ulang dengan sendirinya.";
    busiest: "busiest minute", "menit tersibuk";
    frequent: "often", "sering";
    now: "now", "sekarang";
    legend: "Filled: has run. Hollow, red: missed. Dashed: to come.", "Terisi: sudah berjalan. Kosong merah: terlewat. Putus-putus: mendatang.";
    ago: "ago", "lalu";
    in_time: "in", "dalam";
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        if language == Language::Indonesian { &INDONESIAN } else { &ENGLISH }
    }

    /// A status in words.
    pub(super) fn status_of(&self, status: Status) -> &'static str {
        match status {
            Status::Pending => self.waiting,
            Status::Running => self.running,
            Status::Succeeded => self.succeeded,
            Status::Failed => self.failed,
            Status::TimedOut => self.timed_out,
            Status::Cancelled => self.cancelled,
            Status::Abandoned => self.abandoned,
            Status::Skipped => self.skipped,
            Status::Missed => self.missed,
            // The enum may grow.
            other => other.as_str(),
        }
    }

    /// An action in words.
    pub(super) fn action_of(&self, action: Action) -> &'static str {
        match action {
            Action::Trigger => self.run_now,
            Action::Pause => self.pause,
            Action::Resume => self.resume,
            Action::Skip => self.skip,
            Action::Backfill => self.backfill,
            Action::Cancel => self.cancel,
            Action::Retry => self.retry,
            // The enum may grow.
            other => other.as_str(),
        }
    }
}

/// A language by its tag.
pub(super) fn language(tag: &str) -> Option<Language> {
    match tag.get(..2)?.to_ascii_lowercase().as_str() {
        "id" => Some(Language::Indonesian),
        "en" => Some(Language::English),
        _ => None,
    }
}

/// Its tag.
pub(super) fn tag(language: Language) -> &'static str {
    if language == Language::Indonesian { "id" } else { "en" }
}
