"""The programs that the benchmark of the engine compares; each is run as a process of its own.

    python benchmarks/programs.py NAME INPUTS OUT

All make levels of 2 x 2 x 2 windows with two threads or processes, and print how many seconds
passed between import and end.
"""

import json
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

THREADS = 2


def levels_of(edge):
    """Number of levels until one is at most 64."""
    count = 1
    while edge > 64:
        edge, count = -(-edge // 2), count + 1
    return count


def write_labels(inputs, out, **options):
    import zarr

    from ngffseg import write_labels

    source = zarr.open_array(inputs / "plain", mode="r")
    yield
    write_labels(
        out, source, name="a", chunks=128, shards=None, cluster="threads", workers=THREADS, **options
    )


def write_labels_anew(inputs, out):
    """Another compression: every chunk is decoded and encoded."""
    return write_labels(inputs, out, codec="zstd-4")


def pyramid(_, out):
    """What ``ngffseg pyramid`` does: levels, index and metadata, in a copy of the input."""
    from ngffseg.labels import rebuild_levels

    yield
    rebuild_levels(out, cluster="threads", workers=THREADS)


def engine(inputs, out, form="plain"):
    """The levels alone, as the peers make them."""
    import zarr

    from ngffseg.geometry import identity
    from ngffseg.labels.nodes.create import create_array
    from ngffseg.labels.read.levels import written_labels
    from ngffseg.pyramid import build_pyramid, plan_above
    from ngffseg.workers import ThreadExecutor

    yield
    array = zarr.open_array(inputs / form, mode="r")
    source = written_labels(array)
    plan = plan_above(identity(array.shape), array.dtype, array.chunks, array.shards)
    made = [create_array(str(out), level.path, level, plan, "0.5") for level in plan.levels[1:]]
    targets = [source, *(written_labels(level) for level in made)]
    build_pyramid(plan, source, targets, ThreadExecutor(THREADS))


def engine_small(inputs, out):
    return engine(inputs, out, "small")


def engine_sharded(inputs, out):
    return engine(inputs, out, "sharded")


def engine_sparse(inputs, out):
    return engine(inputs, out, "sparse")


def tensorstore(inputs, out):
    """By hand, level by level, as many chunks at once as there are threads."""
    import tensorstore as ts

    yield
    limits = {"data_copy_concurrency": {"limit": THREADS}}

    def opened(path, **spec):
        kv = {"driver": "file", "path": str(path)}
        return ts.open({"driver": "zarr3", "kvstore": kv, **spec}, context=ts.Context(limits)).result()

    level = opened(inputs / "plain")
    for number in range(1, levels_of(level.shape[0])):
        view = ts.downsample(level, [2, 2, 2], "mode")
        codecs = [{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 3}}]
        grid = {"name": "regular", "configuration": {"chunk_shape": [128] * 3}}
        form = {"shape": view.shape, "data_type": "uint32", "chunk_grid": grid, "codecs": codecs}
        level = opened(out / str(number), metadata=form, create=True)
        boxes = [
            tuple(slice(a, min(a + 128, n)) for a, n in zip((z, y, x), view.shape, strict=True))
            for z in range(0, view.shape[0], 128)
            for y in range(0, view.shape[1], 128)
            for x in range(0, view.shape[2], 128)
        ]
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda box, to=level, of=view: to[box].write(of[box]).result(), boxes))


def dask_blocks(inputs, out):
    """Our kernel in dask's map_blocks, level by level."""
    import dask
    import dask.array as da
    import zarr
    from zarr.codecs import ZstdCodec

    from ngffseg.pyramid import downsample

    yield
    level = zarr.open_array(inputs / "plain", mode="r")
    with dask.config.set(scheduler="threads", num_workers=THREADS):
        for number in range(1, levels_of(level.shape[0])):
            finer = da.from_zarr(level, chunks=(256,) * 3)
            half = tuple(tuple(-(-n // 2) for n in axis) for axis in finer.chunks)
            coarser = finer.map_blocks(downsample, (2, 2, 2), chunks=half, dtype="uint32")
            form = {"dtype": "uint32", "compressors": ZstdCodec(level=3)}
            level = zarr.create_array(out / str(number), shape=coarser.shape, chunks=(128,) * 3, **form)
            da.store(coarser, level, lock=False)


def ngff_zarr(inputs, out):
    import dask
    import dask.array as da
    import ngff_zarr as nz

    yield
    source = da.from_zarr(str(inputs / "plain"))
    with dask.config.set(scheduler="threads", num_workers=THREADS):
        image = nz.to_ngff_image(source, dims=["z", "y", "x"])
        factors = [2**n for n in range(1, levels_of(source.shape[0]))]
        made = nz.to_multiscales(
            image, scale_factors=factors, method=nz.Methods.DASK_IMAGE_MODE, chunks=128, cache=False
        )
        nz.to_ngff_zarr(str(out), made, version="0.5")


def ome_zarr(inputs, out):
    """Nearest neighbour: ome-zarr-py has no mode."""
    import dask
    import dask.array as da
    import zarr
    from ome_zarr.writer import write_labels

    yield
    source = da.from_zarr(str(inputs / "plain"))
    factors = [dict.fromkeys("zyx", 2**n) for n in range(1, levels_of(source.shape[0]))]
    group = zarr.open_group(out, mode="w", zarr_format=3)
    with dask.config.set(scheduler="threads", num_workers=THREADS):
        write_labels(
            source, group, name="a", axes="zyx", scaler=None, scale_factors=factors,
            storage_options={"chunks": (128,) * 3},
        )  # fmt: skip


def igneous_input(inputs, out):
    """A precomputed volume, the format that igneous knows."""
    import numpy as np
    import tensorstore as ts
    from cloudvolume import CloudVolume

    yield
    kv = {"driver": "file", "path": str(inputs / "plain")}
    source = ts.open({"driver": "zarr3", "kvstore": kv}).result()
    info = CloudVolume.create_new_info(
        num_channels=1, layer_type="segmentation", data_type="uint32", encoding="compressed_segmentation",
        resolution=[1, 1, 1], voxel_offset=[0, 0, 0], chunk_size=[64] * 3, volume_size=source.shape[::-1],
    )  # fmt: skip
    volume = CloudVolume(f"file://{out}", info=info, compress="gzip", progress=False)
    volume.commit_info()
    for z in range(0, source.shape[0], 128):
        slab = np.asarray(source[z : min(z + 128, source.shape[0])].read().result())
        volume[:, :, z : z + slab.shape[0]] = np.asfortranarray(slab.T)


def igneous(_, out):
    """Its tasks make three levels at once; in a copy of its input."""
    import igneous.task_creation as tasks
    from taskqueue import LocalTaskQueue

    yield
    queue = LocalTaskQueue(parallel=THREADS, progress=False)
    made = tasks.create_downsampling_tasks(
        f"file://{out}", mip=0, num_mips=3, factor=(2, 2, 2), encoding="compressed_segmentation"
    )
    queue.insert(made)
    queue.execute()


def webknossos_input(inputs, out):
    import numpy as np
    import tensorstore as ts
    import webknossos as wk

    yield
    kv = {"driver": "file", "path": str(inputs / "plain")}
    source = ts.open({"driver": "zarr3", "kvstore": kv}).result()
    data = wk.Dataset(str(out), voxel_size=(1, 1, 1))
    box = wk.BoundingBox((0, 0, 0), source.shape[::-1])
    layer = data.add_layer("a", "segmentation", dtype="uint32", data_format="zarr3", bounding_box=box)
    mag = layer.add_mag(1, chunk_shape=64, shard_shape=256)
    for z in range(0, source.shape[0], 256):
        slab = np.asarray(source[z : min(z + 256, source.shape[0])].read().result()).T
        mag.write(np.asfortranarray(slab), absolute_offset=(0, 0, z))


def webknossos(_, out):
    import webknossos as wk
    from cluster_tools import get_executor

    yield
    layer = wk.Dataset.open(str(out)).get_layer("a")
    edge = layer.bounding_box.size[0]
    with get_executor("multiprocessing", max_workers=THREADS) as executor:
        layer.downsample(
            coarsest_mag=wk.Mag(2 ** (levels_of(edge) - 1)), sampling_mode="isotropic",
            interpolation_mode="mode", chunk_shape=64, shard_shape=256, executor=executor,
        )  # fmt: skip


def floor(inputs, out):
    """The same bytes with nothing between: each chunk of level 0 read and decoded, each other encoded."""
    import numcodecs
    import numpy as np
    import zarr

    codec, store = numcodecs.Zstd(level=3), inputs / "finished.ome.zarr" / "labels" / "a"
    packed = sorted(path for path in (store / "0" / "c").rglob("*") if path.is_file())
    chunks = []
    for number in range(1, levels_of(zarr.open_array(store / "0", mode="r").shape[0])):
        array = zarr.open_array(store / str(number), mode="r")
        size = array.chunks[0]
        for corner in np.ndindex(*array.cdata_shape):
            box = tuple(slice(c * size, (c + 1) * size) for c in corner)
            chunks.append(np.ascontiguousarray(array[box]))
    rooms = [np.empty(128**3, np.uint32) for _ in range(THREADS)]
    yield

    def read(thread):
        for path in packed[thread::THREADS]:
            codec.decode(path.read_bytes(), out=rooms[thread])

    def write(thread):
        for number, chunk in list(enumerate(chunks))[thread::THREADS]:
            (out / str(number)).write_bytes(codec.encode(chunk))

    out.mkdir()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(read, range(THREADS)))
        list(pool.map(write, range(THREADS)))


def main():
    name, inputs, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    warnings.simplefilter("ignore")
    steps = globals()[name](inputs, out)
    next(steps)
    started = time.perf_counter()
    next(steps, None)
    sys.stdout.write("\n" + json.dumps({"work": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
