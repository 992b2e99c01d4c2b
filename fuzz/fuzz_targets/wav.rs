#![no_main]
// A panic of a parser that we catch is not a find: only one that reaches the fuzzer ends it.
libfuzzer_sys::fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |data: &[u8]| {
    strongroom::fuzzing::wav(data);
});
