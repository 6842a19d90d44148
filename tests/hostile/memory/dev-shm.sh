# tries: memory that is a file in /dev/shm
# outcomes: [memory_limit]
# limit: memory
# limits: { memory_bytes: 25165824, work_bytes: 67108864, file_bytes: 67108864, wall_ms: 8000 }
head -c 60M /dev/zero >/dev/shm/big
echo "still here"
