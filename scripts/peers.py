"""Other simulators on the models of our presets, for the benchmark."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

SMOLDYN = """\
random_seed {seed}
dim 3
boundaries x -{half} {half} a
boundaries y -{half} {half} a
boundaries z 0 {height} r
time_start 0
time_stop {duration}
time_step {dt}
species ACh R AR A2R A2Ro E EA
difc ACh {diffusion}
difc R(all) 0
molecule_lists free bound
mol_list ACh free
mol_list R(all) bound
mol_list AR(all) bound
mol_list A2R(all) bound
mol_list A2Ro(all) bound
mol_list E(all) bound
mol_list EA(all) bound
max_mol 200000
start_surface floor
action ACh both reflect
panel rect +z -{half} -{half} {floor} {side} {side}
end_surface
start_surface lamina
action ACh both transmit
panel rect +z -{half} -{half} {middle} {side} {side}
end_surface
start_surface edges
action ACh both absorb
panel rect +x -{half} -{half} 0 {side} {height}
panel rect -x {half} -{half} 0 {side} {height}
panel rect +y -{half} -{half} 0 {side} {height}
panel rect -y -{half} {half} 0 {side} {height}
end_surface
start_surface roof
action ACh both reflect
panel rect -z -{half} -{half} {height} {side} {side}
end_surface
reaction bind1 ACh(fsoln) + R(front) -> AR(front) {on2}
reaction off1 AR(front) -> ACh(fsoln) + R(front) {off}
reaction bind2 ACh(fsoln) + AR(front) -> A2R(front) {on}
reaction off2 A2R(front) -> ACh(fsoln) + AR(front) {off2}
reaction open A2R(front) -> A2Ro(front) {opening}
reaction close A2Ro(front) -> A2R(front) {closing}
reaction split_above ACh(fsoln) + E(front) -> EA(front) {split}
reaction split_below ACh(bsoln) + E(front) -> EA(front) {split}
reaction ready EA(front) -> E(front) {ready}
mol {molecules} ACh 0 0 {release}
surface_mol {receptors} R(front) floor all all
surface_mol {enzymes} E(front) lamina all all
output_files {output}
cmd N {every} molcount {output}
end_file
"""
"""The canonical slab as a Smoldyn configuration [um, ms]."""


def smoldyn_peak(smoldyn: Any, synapse: Any, seed: int, duration: float, dt: float) -> float:
    """Run one quantum in Smoldyn [ms]; the largest number of open receptors seen every 5 us."""
    half, height = float(synapse.cleft.side) / 2, float(synapse.cleft.height)
    k, e = ({n: float(v) for n, v in part.rates.items()} for part in (synapse.receptor, synapse.esterase))
    area = 4 * half * half
    enzymes = round(float(synapse.esterase.density * synapse.esterase.active_fraction) * area)
    text = SMOLDYN.format(
        seed=seed, half=half, side=2 * half, height=height, floor=1e-6, duration=duration, dt=dt,
        middle=height * float(synapse.esterase.position), diffusion=float(synapse.cleft.diffusion),
        on=k["binding_rate"], on2=2 * k["binding_rate"], off=k["unbinding_rate"], off2=2 * k["unbinding_rate"],
        opening=k["opening_rate"], closing=k["closing_rate"],
        split=e["binding_rate"], ready=e["deacylation_rate"],
        molecules=round(float(synapse.vesicle.content_mean)),
        release=height - float(synapse.vesicle.release_depth),
        receptors=round(float(synapse.receptor.density) * area), enzymes=enzymes,
        output="counts.txt", every=max(1, round(5e-3 / dt)),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "slab.txt").write_text(text)
        simulation = smoldyn.Simulation.fromFile(str(Path(folder, "slab.txt")), "q")
        simulation.runSim()
        rows = [line.split() for line in Path(folder, "counts.txt").read_text().splitlines()]
    return max(float(row[5]) for row in rows)
