//! Cities that no zone is named after: the largest of countries where people expect one.

use super::same_city;

const CITIES: [(&str, &[&str]); 17] = [
    (
        "Asia/Jakarta",
        &[
            "Surabaya",
            "Bandung",
            "Medan",
            "Semarang",
            "Palembang",
            "Tangerang",
            "Bekasi",
            "Depok",
            "Bogor",
            "Batam",
            "Pekanbaru",
            "Bandar_Lampung",
            "Lampung",
            "Padang",
            "Malang",
            "Yogyakarta",
            "Surakarta",
            "Solo",
            "Banda_Aceh",
            "Jambi",
            "Bengkulu",
            "Serang",
            "Cirebon",
            "Java",
            "Sumatra",
        ],
    ),
    (
        "Asia/Makassar",
        &[
            "Denpasar",
            "Bali",
            "Balikpapan",
            "Samarinda",
            "Banjarmasin",
            "Manado",
            "Mataram",
            "Lombok",
            "Kupang",
            "Palu",
            "Kendari",
        ],
    ),
    ("Asia/Jayapura", &["Ambon", "Sorong", "Manokwari", "Ternate", "Merauke", "Papua"]),
    (
        "Asia/Shanghai",
        &[
            "Beijing",
            "Peking",
            "Guangzhou",
            "Shenzhen",
            "Tianjin",
            "Wuhan",
            "Chengdu",
            "Hangzhou",
            "Nanjing",
            "Xian",
            "Suzhou",
            "Qingdao",
            "Dalian",
            "Shenyang",
            "Dongguan",
            "Foshan",
            "Jinan",
            "Zhengzhou",
            "Changsha",
            "Kunming",
            "Xiamen",
            "Ningbo",
            "China",
        ],
    ),
    (
        "Asia/Kolkata",
        &[
            "Mumbai",
            "Bombay",
            "Delhi",
            "New_Delhi",
            "Bangalore",
            "Bengaluru",
            "Hyderabad",
            "Chennai",
            "Madras",
            "Pune",
            "Ahmedabad",
            "Surat",
            "Jaipur",
            "Lucknow",
            "Kanpur",
            "Nagpur",
            "Indore",
            "Bhopal",
            "Patna",
            "Kochi",
            "India",
        ],
    ),
    (
        "America/Los_Angeles",
        &[
            "San_Francisco",
            "Seattle",
            "San_Diego",
            "San_Jose",
            "Las_Vegas",
            "Portland",
            "Sacramento",
            "Oakland",
            "Fresno",
            "Long_Beach",
            "California",
        ],
    ),
    (
        "America/New_York",
        &[
            "Boston",
            "Washington",
            "Washington_DC",
            "Philadelphia",
            "Miami",
            "Atlanta",
            "Orlando",
            "Charlotte",
            "Baltimore",
            "Pittsburgh",
            "Cleveland",
            "Columbus",
            "Cincinnati",
            "Tampa",
            "Jacksonville",
            "Raleigh",
            "Brooklyn",
            "NYC",
        ],
    ),
    (
        "America/Chicago",
        &[
            "Houston",
            "Dallas",
            "Austin",
            "San_Antonio",
            "Fort_Worth",
            "Nashville",
            "Memphis",
            "Minneapolis",
            "New_Orleans",
            "Kansas_City",
            "Milwaukee",
            "St_Louis",
            "Saint_Louis",
            "Oklahoma_City",
            "Omaha",
            "Tulsa",
            "Texas",
        ],
    ),
    ("America/Denver", &["Salt_Lake_City", "Albuquerque", "El_Paso", "Colorado_Springs"]),
    ("America/Phoenix", &["Tucson", "Mesa", "Scottsdale"]),
    ("America/Toronto", &["Ottawa", "Quebec"]),
    ("Europe/Berlin", &["Munich", "Frankfurt", "Hamburg", "Cologne", "Stuttgart", "Germany"]),
    ("Europe/London", &["Manchester", "Birmingham", "Edinburgh", "Glasgow", "England"]),
    ("Europe/Rome", &["Milan", "Naples", "Turin"]),
    ("Asia/Ho_Chi_Minh", &["Hanoi", "Da_Nang"]),
    ("Asia/Tokyo", &["Osaka", "Kyoto", "Nagoya", "Yokohama", "Sapporo", "Fukuoka"]),
    ("America/Sao_Paulo", &["Rio_de_Janeiro", "Rio", "Brasilia", "Belo_Horizonte"]),
];

/// The zone whose clock the city has.
pub(super) fn zone(city: &str) -> Option<&'static str> {
    let here = |cities: &[&str]| cities.iter().any(|known| same_city(known, city));
    CITIES.iter().find(|(_, cities)| here(cities)).map(|(zone, _)| *zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::parse_zone;

    #[test]
    fn each_city_has_a_zone_and_none_has_its_own() {
        for (zone, cities) in CITIES {
            assert!(parse_zone(zone).is_ok(), "{zone}");
            for city in cities {
                assert!(super::super::names().all(|known| !same_city(super::super::city(known), city)), "{city}");
            }
        }
    }
}
