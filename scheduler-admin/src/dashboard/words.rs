//! What the pages say, in English and Indonesian.

mod contract;

use scheduler_cron::Language;

/// Defines the texts of both languages, each beside the other.
macro_rules! words {
    ($($name:ident: $english:literal, $indonesian:literal;)*) => {
        /// The texts of one language.
        #[derive(Debug)]
        pub(super) struct Words { $(pub(super) $name: &'static str,)* }

        static ENGLISH: Words = Words { $($name: $english,)* };
        static INDONESIAN: Words = Words { $($name: $indonesian,)* };

        /// Each text's name, and what it is in both languages.
        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $indonesian),)*];
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
    unknown: "unknown", "tidak diketahui";
    overdue: "overdue", "terlambat";
    success: "succeeded", "berhasil";
    days_7: "7 d", "7 hr";
    newest: "newest", "terbaru";
    not_ok: "failed, timed out or abandoned", "gagal, kehabisan waktu, atau ditinggalkan";
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
    params_help: "JSON, or nothing", "JSON, atau kosong";
    upstream_results: "Results of the jobs before", "Hasil pekerjaan sebelumnya";
    attempts: "Attempts at this occurrence", "Percobaan untuk kejadian ini";
    this_one: "this one", "yang ini";
    of_it: "What was done to it", "Yang dilakukan padanya";
    lag_after: "after it was due", "setelah jadwalnya";
    on_time: "on time", "tepat waktu";
    not_started: "not started", "belum mulai";
    not_finished: "not finished", "belum selesai";
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
    download: "Download", "Unduh";
    at_most: "at most 100,000", "paling banyak 100.000";
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
    confirm: "Confirm", "Konfirmasi";
    back: "Back", "Kembali";
    cut: "cut, so many characters more:", "dipotong, sisa karakter:";
    trouble: "This did not work", "Ini tidak berhasil";
    away: "The store does not answer. This page is read again by itself.", "Penyimpanan tidak menjawab. Halaman ini dibaca ulang dengan sendirinya.";
    away_jobs: "What is due is known from this service's own jobs; how they stand, what ran and whether they are paused is not known until the store answers.", "Jadwal diketahui dari pekerjaan layanan ini sendiri; keadaannya, apa yang sudah berjalan, dan apakah dijeda tidak diketahui sampai penyimpanan menjawab.";
    busiest: "busiest minute", "menit tersibuk";
    frequent: "often", "sering";
    now: "now", "sekarang";
    expected: "to come", "mendatang";
    band: "often, drawn as a band", "sering, digambar sebagai pita";
    unread: "earlier ones are not drawn", "yang lebih awal tidak digambar";
    times_in: "Times in", "Waktu dalam";
    due_at_once: "due at once", "jatuh tempo bersamaan";
    to_timeline: "Timeline, with what ran", "Garis waktu, dengan yang sudah berjalan";
    ago: "ago", "lalu";
    in_time: "in", "dalam";
    unit_day: "d", "hr";
    unit_hour: "h", "j";
    unit_minute: "min", "mnt";
    unit_second: "s", "dtk";
    setting: "Setting", "Pengaturan";
    value: "Value", "Nilai";
    comes_from: "From", "Berasal dari";
    of_default: "default", "bawaan";
    of_attribute: "attribute", "atribut";
    of_builder: "builder", "builder";
    shorter_of: "the shorter of its period and 60 s", "yang lebih pendek antara periodenya dan 60 dtk";
    one_period: "one period", "satu periode";
    half_of: "the shorter of 60 s and half its period", "yang lebih pendek antara 60 dtk dan setengah periodenya";
    as_far_as_limit: "as far back as the limit reaches", "sejauh batas jumlah";
    no_end: "no end", "tanpa batas";
    yes: "yes", "ya";
    no: "no", "tidak";
    clocks_forward: "clocks go forward from {before} to {after}", "jam dimajukan dari {before} ke {after}";
    clocks_back: "clocks go back from {before} to {after}", "jam dimundurkan dari {before} ke {after}";
    and_more: "{first} and {more} more", "{first} dan {more} lagi";
    change_shifted: "{times} is skipped, runs at {after}", "{times} terlompati, dijalankan pukul {after}";
    change_skipped: "{times} is skipped, no run", "{times} terlompati, tidak dijalankan";
    change_first: "{times} comes twice, runs the first time", "{times} terjadi dua kali, dijalankan pada yang pertama";
    change_last: "{times} comes twice, runs the last time", "{times} terjadi dua kali, dijalankan pada yang terakhir";
    change_twice: "{times} comes twice, runs both times", "{times} terjadi dua kali, dijalankan keduanya";
    change_none: "runs keep their distance", "jarak antarjalan tetap";
    taken_out: "skipped", "dilewati";
    longest: "longest", "terlama";
    no_durations: "Nothing has ended yet.", "Belum ada yang selesai.";
    dependencies: "Dependencies", "Ketergantungan";
    no_dependencies: "It runs after no job, and none runs after it.", "Tidak berjalan setelah pekerjaan mana pun, dan tidak ada yang berjalan setelahnya.";
    answers: "answers this page", "menjawab halaman ini";
    clock_off: "its clock is off by more than a second", "jamnya meleset lebih dari satu detik";
    before: "Before", "Sebelum";
    after: "After", "Sesudah";
    search_hint: "press / to filter", "tekan / untuk menyaring";
    any_instance: "any", "semua";
    last_hours: "The last", "Selama";
    service: "Service", "Layanan";
    origin_schedule: "schedule", "jadwal";
    origin_catch_up: "caught up", "susulan";
    origin_backfill: "backfill", "isi ulang";
    origin_manual: "on request", "atas permintaan";
    origin_dependency: "after another job", "setelah pekerjaan lain";
    reason_panic: "panic", "panik";
    reason_lease_lost: "lease lost", "sewa hilang";
    reason_shutdown: "shutdown", "layanan berhenti";
    reason_instance_lost: "instance lost", "instans hilang";
    reason_by_request: "by request", "atas permintaan";
    reason_unknown_commit: "never started: the claim's answer was lost", "tidak pernah mulai: jawaban klaim hilang";
    reason_nothing_to_do: "nothing to do", "tidak ada yang perlu dilakukan";
    reason_overlap: "another run held the job", "masih ada yang berjalan";
    reason_paused: "paused", "dijeda";
    reason_upstream: "the job before did not succeed", "pekerjaan sebelumnya tidak berhasil";
    reason_queue_full: "another one waits", "sudah ada yang menunggu";
    reason_superseded: "a later one waits instead", "digantikan yang lebih baru";
    reason_deadline: "start deadline passed", "batas mulai terlewati";
    reason_coalesced: "a later one stands for it", "diwakili yang lebih baru";
    reason_catch_up_limit: "beyond the catch-up limit", "melebihi batas susulan";
    reason_timeout: "over its timeout, not ended yet", "melewati batas waktu, belum selesai";
    code_unauthenticated: "Sign in first.", "Masuk terlebih dahulu.";
    code_forbidden: "You may not do this.", "Anda tidak diizinkan melakukan ini.";
    code_not_found: "There is nothing here, or nothing that you may see.", "Tidak ada apa-apa di sini, atau tidak boleh Anda lihat.";
    code_method_not_allowed: "This page can't be asked for so.", "Halaman ini tidak dapat diminta seperti itu.";
    code_invalid_parameter: "Something that was asked for can't be read.", "Ada permintaan yang tidak dapat dibaca.";
    code_invalid_body: "Something in the form can't be read.", "Ada isian yang tidak dapat dibaca.";
    code_too_large: "The form is too large.", "Isian terlalu besar.";
    code_already_running: "The job runs already, or waits for its next attempt.", "Pekerjaan sudah berjalan, atau menunggu percobaan berikutnya.";
    code_idempotency_conflict: "Another request was made under this key.", "Permintaan lain sudah dibuat dengan kunci ini.";
    code_already_paused: "The job is paused already.", "Pekerjaan sudah dijeda.";
    code_not_paused: "The job is not paused.", "Pekerjaan tidak dijeda.";
    code_already_ended: "It has ended already.", "Sudah selesai.";
    code_not_retryable: "It can't be retried: it is open, has succeeded, or another attempt follows it.", "Tidak dapat dicoba lagi: belum selesai, sudah berhasil, atau sudah diikuti percobaan lain.";
    code_already_decided: "This occurrence has been decided already.", "Kejadian ini sudah diputuskan.";
    code_rate_limited: "Too much is asked at once. Try again soon.", "Terlalu banyak permintaan. Coba lagi sebentar.";
    code_unavailable: "Something that this page needs does not answer.", "Sesuatu yang diperlukan halaman ini tidak menjawab.";
    code_internal: "Something went wrong inside. The log has the cause.", "Ada kesalahan di dalam. Penyebabnya ada di log.";
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        if language == Language::Indonesian { &INDONESIAN } else { &ENGLISH }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is the same word in both languages.
    const SHARED: &[&str] = &[
        "audit",
        "token",
        "status",
        "host",
        "of_builder",
        "unit_hour",
        "tag",
        "trigger",
        "other_language",
        "live",
        "log",
        "csv",
        "params",
        "none",
        "error",
    ];

    #[test]
    fn each_text_is_in_both_languages_with_the_same_places_to_fill() {
        for (name, english, indonesian) in ALL {
            assert!(!english.trim().is_empty() && !indonesian.trim().is_empty(), "{name}");
            assert!(english != indonesian || SHARED.contains(name), "{name} is not translated: {english}");
            for place in ["{before}", "{after}", "{first}", "{more}", "{times}", "jobs![…]"] {
                assert_eq!(english.contains(place), indonesian.contains(place), "{name}: {place}");
            }
        }
    }
}
