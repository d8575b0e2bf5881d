use tokenward_openapi::{compare, read};

/// Reading a description ends, twice the same; its operations are found by their names, and it does not differ from itself.
pub fn openapi(bytes: &[u8]) {
    let first = read(bytes);
    assert_eq!(
        format!("{first:?}"),
        format!("{:?}", read(bytes)),
        "two readings differ"
    );
    let Ok(description) = first else { return };
    for operation in &description.operations {
        assert!(!operation.bases.is_empty(), "an operation without a base");
        for name in operation.template.parameters() {
            assert!(
                operation.path_parameter(name).is_some(),
                "the parameter `{name}` is in the path only"
            );
        }
        let name = operation.name();
        if name.trim() == name {
            assert!(description.by_name(&name).is_some(), "`{name}` is not found");
        }
    }
    let own = compare(&description, &description);
    assert!(
        own.added.is_empty() && own.removed.is_empty() && own.moved.is_empty(),
        "a description differs from itself: {own:?}"
    );
}
