//! Characters that collations treat as an ASCII letter or digit at the first level, although they have no decomposition.

use std::collections::HashMap;
use std::sync::LazyLock;

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

/// Returns the lower-case ASCII letter or the digit that a character equals at the first level.
pub(super) fn primary(character: char) -> Option<char> {
    static EQUALS: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
        let equals = |(ascii, characters): &(char, &'static str)| {
            let ascii = *ascii;
            characters.chars().map(move |character| (character, ascii))
        };
        PRIMARY_EQUALS.iter().flat_map(equals).collect()
    });
    EQUALS.get(&character).copied().or_else(|| decimal(character))
}

/// Returns the ASCII digit with the value of a decimal digit of any script. Unicode encodes the ten digits of a script
/// in order, so the value follows from the number of decimal digits before the character.
fn decimal(character: char) -> Option<char> {
    let category = CodePointMapData::<GeneralCategory>::new();
    let is_decimal = |point: u32| category.get32(point) == GeneralCategory::DecimalNumber;
    let point = u32::from(character);
    if character.is_ascii() || !is_decimal(point) {
        return None;
    }
    let before = (0..point).rev().take_while(|point| is_decimal(*point)).count();
    char::from_digit(u32::try_from(before % 10).ok()?, 10)
}

/// Characters with the same weight at the first level as an ASCII letter or digit, in the default table (DUCET) of the
/// Unicode Collation Algorithm 13.0. Decimal digits, upper-case letters and characters that have a decomposition are
/// left out, since [`super::folded`] folds them by their properties. Made by this program, with Unicode::Collate 1.31:
///
/// ```text
/// perl -MUnicode::Collate -MUnicode::Normalize -e '
///   my $c = Unicode::Collate->new(level => 1, variable => "non-ignorable");
///   my (%k, %t); $k{$c->getSortKey($_)} = $_ for 0..9, "a".."z";
///   for my $i (0x80..0xD7FF, 0xE000..0x1FFFF) {
///     my $s = chr $i;
///     next if $s =~ /\p{Nd}/ or NFKD($s) ne $s or lc(uc(lc $s)) ne $s;
///     my $l = $k{$c->getSortKey($s)};
///     $t{$l} .= sprintf "\\u{%x}", $i if defined $l;
///   }
///   print "$_ $t{$_}\n" for sort keys %t'
/// ```
const PRIMARY_EQUALS: &[(char, &str)] = &[
    (
        '0',
        "\u{c78}\u{f33}\u{17f0}\u{24ff}\u{3007}\u{1018a}\u{16e80}\u{1d2e0}\u{1f10b}\u{1f10c}",
    ),
    (
        '1',
        "\u{c79}\u{c7c}\u{f2a}\u{1369}\u{17f1}\u{19da}\u{24f5}\u{2776}\u{2780}\u{278a}\u{3021}\u{10107}\
         \u{10142}\u{10158}\u{10159}\u{1015a}\u{102e1}\u{10320}\u{103d1}\u{10858}\u{10879}\u{108a7}\
         \u{108fb}\u{10916}\u{109c0}\u{10a40}\u{10a7d}\u{10a9d}\u{10aeb}\u{10b58}\u{10b78}\u{10ba9}\
         \u{10cfa}\u{10e60}\u{10f1d}\u{10f51}\u{10fc5}\u{11052}\u{111e1}\u{11c5a}\u{12415}\u{1241e}\
         \u{1242c}\u{12434}\u{1244f}\u{12458}\u{16e81}\u{16e94}\u{1d2e1}\u{1d360}\u{1d372}\u{1d377}\
         \u{1e8c7}\u{1ec71}\u{1eca3}\u{1ecb1}\u{1ed01}",
    ),
    (
        '2',
        "\u{c7a}\u{c7d}\u{f2b}\u{136a}\u{17f2}\u{24f6}\u{2777}\u{2781}\u{278b}\u{3022}\u{10108}\u{1015b}\
         \u{1015c}\u{1015d}\u{1015e}\u{102e2}\u{103d2}\u{10859}\u{1087a}\u{108a8}\u{1091a}\u{109c1}\
         \u{10a41}\u{10b59}\u{10b79}\u{10baa}\u{10e61}\u{10f1e}\u{10fc6}\u{11053}\u{111e2}\u{11c5b}\
         \u{12400}\u{12416}\u{1241f}\u{12423}\u{1242d}\u{12435}\u{1244a}\u{12450}\u{12456}\u{12459}\
         \u{16e82}\u{16e95}\u{1d2e2}\u{1d361}\u{1d373}\u{1e8c8}\u{1ec72}\u{1eca4}\u{1ecb2}\u{1ed02}\
         \u{1ed2f}",
    ),
    (
        '3',
        "\u{c7b}\u{c7e}\u{f2c}\u{136b}\u{17f3}\u{24f7}\u{2778}\u{2782}\u{278c}\u{3023}\u{10109}\u{102e3}\
         \u{1085a}\u{1087b}\u{108a9}\u{1091b}\u{109c2}\u{10a42}\u{10b5a}\u{10b7a}\u{10bab}\u{10e62}\
         \u{10f1f}\u{10fc7}\u{11054}\u{111e3}\u{11c5c}\u{12401}\u{12408}\u{12417}\u{12420}\u{12424}\
         \u{12425}\u{1242e}\u{1242f}\u{12436}\u{12437}\u{1243a}\u{1243b}\u{1244b}\u{12451}\u{12457}\
         \u{16e83}\u{16e96}\u{1d2e3}\u{1d362}\u{1d374}\u{1e8c9}\u{1ec73}\u{1eca5}\u{1ed03}\u{1ed30}",
    ),
    (
        '4',
        "\u{f2d}\u{136c}\u{17f4}\u{24f8}\u{2779}\u{2783}\u{278d}\u{3024}\u{1010a}\u{102e4}\u{1087c}\
         \u{108aa}\u{108ab}\u{109c3}\u{10a43}\u{10b5b}\u{10b7b}\u{10bac}\u{10e63}\u{10f20}\u{10fc8}\
         \u{11055}\u{111e4}\u{11c5d}\u{12402}\u{12409}\u{1240f}\u{12418}\u{12421}\u{12426}\u{12430}\
         \u{12438}\u{1243c}\u{1243d}\u{1243e}\u{1243f}\u{1244c}\u{12452}\u{12453}\u{12469}\u{16e84}\
         \u{1d2e4}\u{1d363}\u{1d375}\u{1e8ca}\u{1ec74}\u{1eca6}\u{1ed04}\u{1ed31}",
    ),
    (
        '5',
        "\u{f2e}\u{136d}\u{17f5}\u{24f9}\u{277a}\u{2784}\u{278e}\u{3025}\u{1010b}\u{10143}\u{10148}\
         \u{1014f}\u{1015f}\u{10173}\u{102e5}\u{10321}\u{1087d}\u{108ac}\u{108fc}\u{109c4}\u{10aec}\
         \u{10cfb}\u{10e64}\u{10f21}\u{11056}\u{111e5}\u{11c5e}\u{12403}\u{1240a}\u{12410}\u{12419}\
         \u{12422}\u{12427}\u{12431}\u{12439}\u{1244d}\u{12454}\u{12455}\u{1246a}\u{16e85}\u{1d2e5}\
         \u{1d364}\u{1d376}\u{1d378}\u{1e8cb}\u{1ec75}\u{1eca7}\u{1ed05}\u{1ed32}",
    ),
    (
        '6',
        "\u{f2f}\u{136e}\u{17f6}\u{2185}\u{24fa}\u{277b}\u{2785}\u{278f}\u{3026}\u{1010c}\u{102e6}\
         \u{109c5}\u{10e65}\u{11057}\u{111e6}\u{11c5f}\u{12404}\u{1240b}\u{12411}\u{1241a}\u{12428}\
         \u{12440}\u{1244e}\u{1246b}\u{16e86}\u{1d2e6}\u{1d365}\u{1e8cc}\u{1ec76}\u{1eca8}\u{1ed06}\
         \u{1ed33}",
    ),
    (
        '7',
        "\u{f30}\u{136f}\u{17f7}\u{24fb}\u{277c}\u{2786}\u{2790}\u{3027}\u{1010d}\u{102e7}\u{109c6}\
         \u{10e66}\u{11058}\u{111e7}\u{11c60}\u{12405}\u{1240c}\u{12412}\u{1241b}\u{12429}\u{12441}\
         \u{12442}\u{12443}\u{1246c}\u{16e87}\u{1d2e7}\u{1d366}\u{1e8cd}\u{1ec77}\u{1eca9}\u{1ed07}\
         \u{1ed34}",
    ),
    (
        '8',
        "\u{f31}\u{1370}\u{17f8}\u{24fc}\u{277d}\u{2787}\u{2791}\u{3028}\u{1010e}\u{102e8}\u{109c7}\
         \u{10e67}\u{11059}\u{111e8}\u{11c61}\u{12406}\u{1240d}\u{12413}\u{1241c}\u{1242a}\u{12444}\
         \u{12445}\u{1246d}\u{16e88}\u{1d2e8}\u{1d367}\u{1e8ce}\u{1ec78}\u{1ecaa}\u{1ed08}\u{1ed35}",
    ),
    (
        '9',
        "\u{f32}\u{1371}\u{17f9}\u{24fd}\u{277e}\u{2788}\u{2792}\u{3029}\u{1010f}\u{102e9}\u{109c8}\
         \u{10e68}\u{1105a}\u{111e9}\u{11c62}\u{12407}\u{1240e}\u{12414}\u{1241d}\u{1242b}\u{12446}\
         \u{12447}\u{12448}\u{12449}\u{1246e}\u{16e89}\u{1d2e9}\u{1d368}\u{1e8cf}\u{1ec79}\u{1ecab}\
         \u{1ed09}\u{1ed36}",
    ),
    ('a', "\u{363}\u{1dd3}\u{1df2}\u{a79b}\u{1f150}\u{1f170}"),
    ('b', "\u{1de8}\u{1f151}\u{1f171}"),
    ('c', "\u{368}\u{1dd7}\u{1f152}\u{1f172}"),
    (
        'd',
        "\u{d0}\u{f0}\u{111}\u{369}\u{1dd8}\u{1dd9}\u{a77a}\u{1f153}\u{1f173}\u{1f1a5}",
    ),
    ('e', "\u{364}\u{1f154}\u{1f174}"),
    ('f', "\u{1deb}\u{a77c}\u{1f155}\u{1f175}"),
    ('g', "\u{1d79}\u{1dda}\u{a7a1}\u{1f156}\u{1f176}"),
    ('h', "\u{127}\u{36a}\u{1f157}\u{1f177}"),
    ('i', "\u{365}\u{1f158}\u{1f178}"),
    ('j', "\u{1f159}\u{1f179}"),
    ('k', "\u{1ddc}\u{a7a3}\u{1f15a}\u{1f17a}"),
    ('l', "\u{142}\u{1ddd}\u{1f15b}\u{1f17b}"),
    ('m', "\u{36b}\u{1f15c}\u{1f17c}"),
    ('n', "\u{1de0}\u{a7a5}\u{1f15d}\u{1f17d}"),
    (
        'o',
        "\u{d8}\u{f8}\u{366}\u{1ded}\u{1df3}\u{a79d}\u{1f15e}\u{1f17e}",
    ),
    ('p', "\u{1dee}\u{1f15f}\u{1f17f}\u{1f18a}"),
    ('q', "\u{1f160}\u{1f180}"),
    ('r', "\u{36c}\u{1dca}\u{a783}\u{a7a7}\u{1f161}\u{1f181}"),
    ('s', "\u{1de4}\u{1de5}\u{a785}\u{a7a9}\u{1f162}\u{1f182}"),
    ('t', "\u{36d}\u{a787}\u{1f163}\u{1f183}"),
    ('u', "\u{367}\u{1df0}\u{1df4}\u{a79f}\u{1f164}\u{1f184}"),
    ('v', "\u{36e}\u{1f165}\u{1f185}"),
    ('w', "\u{1abf}\u{1df1}\u{1f166}\u{1f186}"),
    ('x', "\u{36f}\u{1f167}\u{1f187}"),
    ('y', "\u{1f168}\u{1f188}"),
    ('z', "\u{1de6}\u{1f169}\u{1f189}"),
];
