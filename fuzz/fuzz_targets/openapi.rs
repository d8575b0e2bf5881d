#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tokenward_tests::property::openapi(bytes));
