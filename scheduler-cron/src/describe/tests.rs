use super::*;

#[test]
fn expressions_are_told_in_both_languages() {
    let mut wrong = String::new();
    for (text, english, indonesian) in [
        ("30 0 * * *", "At 00:30 every day", "Setiap hari pukul 00.30"),
        ("* * * * *", "Every minute", "Setiap menit"),
        ("*/15 * * * *", "Every 15 minutes", "Setiap 15 menit"),
        ("@hourly", "Every hour", "Setiap jam"),
        ("0 */2 * * *", "Every 2 hours", "Setiap 2 jam"),
        ("5 * * * *", "At minute 5 of every hour", "Pada menit 5 setiap jam"),
        (
            "*/7 * * * *",
            "At minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56 of every hour",
            "Pada menit 0, 7, 14, 21, 28, 35, 42, 49 dan 56 setiap jam",
        ),
        (
            "0 9-17/2 * * 1-5",
            "At 09:00, 11:00, 13:00, 15:00 and 17:00, Monday to Friday",
            "Setiap hari Senin sampai Jumat pukul 09.00, 11.00, 13.00, 15.00 dan 17.00",
        ),
        (
            "*/5 9-17 * * 1-5",
            "Every 5 minutes from 09:00 to 17:59, Monday to Friday",
            "Setiap 5 menit dari pukul 09.00 sampai 17.59, setiap hari Senin sampai Jumat",
        ),
        ("0 0 1,15 * *", "At 00:00, on days 1 and 15 of the month", "Setiap tanggal 1 dan 15 pukul 00.00"),
        (
            "0 0 */2 * *",
            "At 00:00, on every second day from day 1 of the month",
            "Setiap 2 hari sejak tanggal 1 pukul 00.00",
        ),
        ("0 0 L * *", "At 00:00, on the last day of the month", "Setiap hari terakhir bulan pukul 00.00"),
        (
            "0 0 L-3,15W,LW * *",
            "At 00:00, on the Monday-to-Friday day nearest to day 15, the last Monday-to-Friday day and the day 3 days before the last of the month",
            "Setiap hari Senin sampai Jumat terdekat dengan tanggal 15, hari Senin sampai Jumat terakhir bulan dan 3 hari sebelum hari terakhir bulan pukul 00.00",
        ),
        (
            "0 8 * * 1#1,5L",
            "At 08:00, on the first Monday of the month and the last Friday of the month",
            "Setiap hari Senin pertama bulan dan Jumat terakhir bulan pukul 08.00",
        ),
        (
            "0 0 13 * 5",
            "At 00:00, on day 13 of the month, and also on Friday",
            "Setiap tanggal 13 dan juga setiap hari Jumat pukul 00.00",
        ),
        (
            "0 0 29 2 *",
            "At 00:00, on day 29 of the month, in February",
            "Setiap tanggal 29 pukul 00.00, bulan Februari",
        ),
        (
            "0 0 31 2 *",
            "At 00:00, on day 31 of the month, in February (never: no such day exists)",
            "Setiap tanggal 31 pukul 00.00, bulan Februari (tidak pernah: tanggal itu tidak ada)",
        ),
        (
            "0 6 * 1,6-8 0,6",
            "At 06:00, on Sunday and Saturday, in January and June to August",
            "Setiap hari Minggu dan Sabtu pukul 06.00, bulan Januari dan Juni sampai Agustus",
        ),
        ("*/10 * * * * *", "Every 10 seconds", "Setiap 10 detik"),
        ("15 30 0 * * *", "At 00:30:15 every day", "Setiap hari pukul 00.30.15"),
        ("5 * * * * *", "At second 5 of every minute of every hour", "Pada detik 5 setiap menit setiap jam"),
        (
            "0 0 12 1 1 * 2030-2032,2040",
            "At 12:00, on day 1 of the month, in January, in 2030 to 2032 and 2040",
            "Setiap tanggal 1 pukul 12.00, bulan Januari, tahun 2030 sampai 2032 dan 2040",
        ),
        ("0,30 8-18 * * *", "Every 30 minutes from 08:00 to 18:59", "Setiap 30 menit dari pukul 08.00 sampai 18.59"),
    ] {
        let expr = CronExpr::parse(text).expect("valid");
        let said = (expr.describe(Language::English), expr.describe(Language::Indonesian));
        if said != (english.to_owned(), indonesian.to_owned()) {
            wrong += &format!("{text}: {said:#?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
