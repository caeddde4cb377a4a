// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Bench.Figures;
using Weft.Bench.Peers;

namespace Weft.Bench.Rows;

/// <summary>How the cost of a request grows with the number of something in the plan, or of connections: 10 to 10,000.</summary>
internal abstract class ScaleRow : Row
{
    private const int Rounds = 3;

    // Opening so many connections takes a good part of a second.
    private const int Many = 5000;
    private const int ManySeconds = 3;

    private protected static IReadOnlyList<int> Sizes { get; } = [10, 100, 1000, 10_000];

    private protected abstract string What { get; }

    private protected abstract string Note { get; }

    public override RowResult Run(Lab lab)
    {
        var figures = new List<Figure>();
        foreach (var size in lab.Options.Quick ? [Sizes[0], Sizes[^1]] : Sizes)
        {
            var shown = Allowed(size);
            var subjects = Subjects(lab, shown).ToArray();
            try
            {
                var paths = subjects.ToDictionary(subject => subject.Topology, subject => subject.Load);
                figures.AddRange(Interleaved.Measure(
                    lab, shown.ToString(CultureInfo.InvariantCulture), [.. subjects.Select(subject => subject.Topology)], (topology, _) => paths[topology](shown >= Many ? ManySeconds : 1), lab.Options.Quick ? 1 : Rounds));
            }
            finally
            {
                Array.ForEach(subjects, subject => subject.Topology.Dispose());
            }
        }

        return new RowResult(Name, $"CPU per request against the number of {What}", Note, Measure.CpuPerRequest, null, figures, []) { IsCurve = true, CurveOf = What };
    }

    /// <summary>The largest size that this machine lets us have.</summary>
    private protected virtual int Allowed(int size) => size;

    private protected abstract IEnumerable<(Topology Topology, Func<int, Sample[]> Load)> Subjects(Lab lab, int size);
}
