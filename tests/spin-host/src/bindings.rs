//! The interfaces of `spin:key-value` and `spin:variables`, from wit/.

mod generated {
    #![allow(
        missing_docs,
        unreachable_pub,
        reason = "the macro writes no documentation"
    )]

    wasmtime::component::bindgen!({
        path: "wit",
        world: "host",
        imports: { default: async | trappable },
        with: { "spin:key-value/key-value.store": crate::key_value::OpenStore },
    });
}

pub use generated::spin::key_value::key_value;
pub use generated::spin::variables::variables;
