// SPDX-License-Identifier: Apache-2.0

using Weft.Proxy.Balancing;
using Xunit;

namespace Weft.Proxy.Tests.Balancing;

public sealed class EdfTests
{
    [Fact]
    public void The_heap_chooses_as_a_look_at_all_deadlines_would_whatever_the_weights_become()
    {
        var random = new Random(11);
        for (var round = 0; round < 200; round++)
        {
            var seed = random.Next();
            double[] weights = [.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => random.Next(1, 20) / 4.0)];
            var schedule = new Edf();
            schedule.Begin(weights, new Random(seed));
            var oracle = new SlowSchedule(weights, new Random(seed));
            for (var turn = 0; turn < 200; turn++)
            {
                Assert.Equal(oracle.Next, schedule.Next);
                var weight = random.Next(1, 20) / 4.0;
                oracle.Pass(weight);
                schedule.Pass(weight);
            }
        }
    }

    [Fact]
    public void In_every_stretch_of_turns_an_item_has_its_share_within_one()
    {
        var schedule = new Edf();
        double[] weights = [5, 3, 2];
        schedule.Begin(weights, new Random(3));
        var turns = new List<int>();
        for (var i = 0; i < 1000; i++)
        {
            turns.Add(schedule.Next);
            schedule.Pass(weights[schedule.Next]);
        }

        for (var start = 0; start + 10 <= turns.Count; start++)
        {
            var stretch = turns.GetRange(start, 10);
            Assert.All(Enumerable.Range(0, 3), item => Assert.InRange(stretch.Count(turn => turn == item), weights[item] - 1, weights[item] + 1));
        }
    }

    /// <summary>The same by a list that is searched from end to end.</summary>
    private sealed class SlowSchedule
    {
        private readonly List<(double Deadline, int Order, int Item)> _items = [];
        private int _order;

        internal SlowSchedule(double[] weights, Random random)
        {
            for (var i = 0; i < weights.Length; i++)
            {
                _items.Add((random.NextDouble() / weights[i], _order++, i));
            }
        }

        internal int Next => _items.Min().Item;

        internal void Pass(double weight)
        {
            var first = _items.Min();
            _items.Remove(first);
            _items.Add((first.Deadline + (1 / weight), _order++, first.Item));
        }
    }
}
