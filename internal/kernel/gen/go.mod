module edged/internal/kernel/gen

go 1.26
