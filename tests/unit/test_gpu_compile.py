"""The event kernel compiles for NVIDIA GPUs on a machine that has none, and stays within their registers."""

import struct

import pytest

pytest.importorskip("warp")
FRAME, REGISTERS = 0x11, 0x2F  # attributes of a function in the sections .nv.info of a cubin
MOST_REGISTERS = 255


def attributes(cubin):
    """Words of the attributes of all functions in an NVIDIA object file: {attribute: [value, ...]}."""
    offset = struct.unpack_from("<Q", cubin, 0x28)[0]
    size, count, names = struct.unpack_from("<HHH", cubin, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", cubin, offset + k * size) for k in range(count)]
    text = headers[names][4]
    found = {}
    for name, _, _, _, begin, length in headers:
        label = cubin[text + name : cubin.index(b"\0", text + name)]
        if label != b".nv.info":
            continue
        at = begin
        while at < begin + length:
            form, attribute, value = struct.unpack_from("<BBH", cubin, at)
            at += 4
            if form == 4:  # the only form with a size of its own
                if attribute in (FRAME, REGISTERS):
                    found.setdefault(attribute, []).append(struct.unpack_from("<II", cubin, at)[1])
                at += value
    return found


@pytest.mark.unit
@pytest.mark.parametrize(("arch", "steps"), [(80, False), (90, False), (90, True), (100, False)])
def test_it_compiles_for(arch, steps, tmp_path):
    """Some four seconds of processor time each; what NVIDIA's compiler needs of a thread is read from its output."""
    from nmjmc.kernel.event.start import warp

    wp = warp()
    if steps:
        from nmjmc.kernel.event.follow_steps import follow_steps as follow
    else:
        from nmjmc.kernel.event.prepare import follow

    wp.compile_aot_module(follow.module, device=None, arch=arch, module_dir=tmp_path, use_ptx=False)
    (made,) = tmp_path.glob("*.cubin")
    found = attributes(made.read_bytes())
    assert 0 < max(found[REGISTERS]) <= MOST_REGISTERS
    # a stack frame is where registers are spilled to; none is needed but for a few words
    assert max(found.get(FRAME, [0])) <= 256
