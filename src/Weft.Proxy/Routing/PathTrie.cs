// SPDX-License-Identifier: Apache-2.0

namespace Weft.Proxy.Routing;

/// <summary>
/// Runs of numbers under whole paths and under prefixes of paths, found by walking a path once from its front. A node's children stand
/// side by side, so that a step is one search among their first bytes.
/// </summary>
internal sealed class PathTrie
{
    private readonly Node[] _nodes;
    private readonly byte[] _firstBytes;
    private readonly byte[] _labels;

    /// <param name="entries">Numbers under one path stay in the order in which they come.</param>
    /// <param name="numbers">Gets the numbers; the trie knows them by their places in it.</param>
    public PathTrie(IEnumerable<PathEntry> entries, List<int> numbers)
    {
        var sorted = entries.OrderBy(entry => entry.Path, PathOrder.Instance).ToArray();
        List<Node> nodes = [default];
        List<byte> firstBytes = [0], labels = [];
        var open = new Queue<Part>([new Part(0, 0, sorted.Length, 0, 0)]);
        while (open.TryDequeue(out var part))
        {
            var (node, from, to, depth, runs) = part;
            var inner = from;
            while (inner < to && sorted[inner].Path.Length == depth)
            {
                inner++;
            }

            var here = sorted.AsSpan(from, inner - from);
            var prefixes = RunOf(here, whole: false, numbers);
            var wholes = RunOf(here, whole: true, numbers);
            runs += prefixes.Length > 0 ? 1 : 0;
            MaxRuns = Math.Max(MaxRuns, runs + (wholes.Length > 0 ? 1 : 0));
            var firstChild = nodes.Count;
            while (inner < to)
            {
                var end = inner;
                while (end < to && sorted[end].Path[depth] == sorted[inner].Path[depth])
                {
                    end++;
                }

                // What the first and the last have in common, all between them have.
                var shared = sorted[inner].Path.AsSpan(depth).CommonPrefixLength(sorted[end - 1].Path.AsSpan(depth));
                open.Enqueue(new Part(nodes.Count, inner, end, depth + shared, runs));
                firstBytes.Add(sorted[inner].Path[depth]);
                nodes.Add(new Node { Label = labels.Count, LabelLength = shared - 1 });
                labels.AddRange(sorted[inner].Path.AsSpan(depth + 1, shared - 1));
                inner = end;
            }

            nodes[node] = nodes[node] with { Prefixes = prefixes, Wholes = wholes, FirstChild = firstChild, Children = nodes.Count - firstChild };
        }

        (_nodes, _firstBytes, _labels) = ([.. nodes], [.. firstBytes], [.. labels]);
    }

    /// <summary>The most runs that one path can find.</summary>
    public int MaxRuns { get; }

    /// <summary>Writes the runs that fit the path to the front of the room, and says how many they are.</summary>
    public int Find(ReadOnlySpan<byte> path, Span<NumberRun> room)
    {
        var count = 0;
        ref readonly var node = ref _nodes[0];
        while (true)
        {
            Add(node.Prefixes, room, ref count);
            if (path.IsEmpty)
            {
                Add(node.Wholes, room, ref count);
                return count;
            }

            var child = _firstBytes.AsSpan(node.FirstChild, node.Children).IndexOf(path[0]);
            if (child < 0)
            {
                return count;
            }

            node = ref _nodes[node.FirstChild + child];
            var label = _labels.AsSpan(node.Label, node.LabelLength);
            path = path[1..];
            if (!path.StartsWith(label))
            {
                return count;
            }

            path = path[label.Length..];
        }
    }

    private static void Add(NumberRun run, Span<NumberRun> room, ref int count)
    {
        if (run.Length > 0)
        {
            room[count++] = run;
        }
    }

    private static NumberRun RunOf(ReadOnlySpan<PathEntry> entries, bool whole, List<int> numbers)
    {
        var start = numbers.Count;
        foreach (ref readonly var entry in entries)
        {
            if (entry.IsWhole == whole)
            {
                numbers.Add(entry.Number);
            }
        }

        return new NumberRun(start, numbers.Count);
    }

    /// <summary>A node whose entries, sorted, stand from one place to another and share so many bytes.</summary>
    private readonly record struct Part(int Node, int From, int To, int Depth, int Runs);

    private record struct Node
    {
        public NumberRun Prefixes;
        public NumberRun Wholes;
        public int Label;
        public int LabelLength;
        public int FirstChild;
        public int Children;
    }

    private sealed class PathOrder : IComparer<byte[]>
    {
        public static PathOrder Instance { get; } = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}

/// <summary>A number under a path: of the whole path, or of every path that begins so.</summary>
internal readonly record struct PathEntry(byte[] Path, bool IsWhole, int Number);

/// <summary>Ascending numbers, by their places in the list that holds them.</summary>
internal readonly record struct NumberRun(int Start, int End)
{
    public int Length => End - Start;
}
